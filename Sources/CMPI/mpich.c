// MPICH and all that has its binary interface, by declarations of our own: no header of theirs is needed.

#include "CMPI.h"
#include "mpich-abi.h"

#include "loading.h"

#define WORLD MPI_COMM_WORLD
#define BYTE MPI_BYTE
#define INT MPI_INT
#define MAX MPI_MAX
#define RETURN_ERRORS MPI_ERRORS_RETURN
#define FAMILY dlp_mpi_mpich

#include "calls.h"

const struct dlp_mpi_table *dlp_mpi_open_mpich(const char *file, char *problem, size_t capacity) {
    void *handle = open_library(file, NULL, "MPICH", problem, capacity);
    if (!handle) return NULL;
    // Open MPI, too, was a libmpi.so.12 until its version 2.
    if (dlsym(handle, "ompi_mpi_comm_world")) {
        snprintf(problem, capacity, "%s: it is an old Open MPI", file);
        dlclose(handle);
        return NULL;
    }
    return &table;
}
