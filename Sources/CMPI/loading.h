// The routines of an MPI library that is opened while the program runs: each is a pointer that dlsym fills, typed by the
// declaration of the file that includes this. Nothing refers to the library, so that the program runs where there is none.

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define ROUTINES(DO)                                                                                                  \
    DO(Abort) DO(Allreduce) DO(Comm_dup) DO(Comm_rank) DO(Comm_set_errhandler) DO(Comm_size) DO(Error_string)          \
    DO(Finalize) DO(Get_count) DO(Get_library_version) DO(Ibarrier) DO(Ibcast) DO(Improbe) DO(Imrecv) DO(Init_thread)  \
    DO(Irecv) DO(Isend) DO(Test)

#define POINTER(name) __typeof__(MPI_##name) *name;
static struct {
    ROUTINES(POINTER)
} routines;

#define ROUTINE(name) routines.name

/// Opens `file`, which must have all routines and, where that is not NULL, the symbol `mark`. NULL where it does not;
/// then `problem` says why.
static void *open_library(const char *file, const char *mark, const char *expected, char *problem, size_t capacity) {
    // An MPI's own modules look for the library's symbols among the global ones.
    void *handle = dlopen(file, RTLD_NOW | RTLD_GLOBAL);
    if (!handle) {
        snprintf(problem, capacity, "%s", dlerror());
        return NULL;
    }
    const char *missing = mark && !dlsym(handle, mark) ? mark : NULL;
#define FIND(name)                                                                                                    \
    if (!(routines.name = (__typeof__(MPI_##name) *)dlsym(handle, "MPI_" #name))) missing = "MPI_" #name;
    ROUTINES(FIND)
    if (!missing) return handle;
    snprintf(problem, capacity, "%s: it has no %s, so it is not the %s that is expected", file, missing, expected);
    dlclose(handle);
    return NULL;
}
