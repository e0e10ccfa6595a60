// Open MPI, by its own header: its handles are addresses of objects in the library.

#include "CMPI.h"

#if __has_include(<mpi.h>)
#include <mpi.h>
#endif

#ifdef OPEN_MPI

#include "loading.h"

static struct {
    MPI_Comm world;
    MPI_Datatype byte, integer;
    MPI_Op maximum;
    MPI_Errhandler return_errors;
} objects;

#define WORLD objects.world
#define BYTE objects.byte
#define INT objects.integer
#define MAX objects.maximum
#define RETURN_ERRORS objects.return_errors
#define FAMILY dlp_mpi_openmpi

#include "calls.h"

const struct dlp_mpi_table *dlp_mpi_open_openmpi(const char *file, char *problem, size_t capacity) {
    void *handle = open_library(file, "ompi_mpi_comm_world", "Open MPI", problem, capacity);
    if (!handle) return NULL;
    objects.world = dlsym(handle, "ompi_mpi_comm_world");
    objects.byte = dlsym(handle, "ompi_mpi_byte");
    objects.integer = dlsym(handle, "ompi_mpi_int");
    objects.maximum = dlsym(handle, "ompi_mpi_op_max");
    objects.return_errors = dlsym(handle, "ompi_mpi_errors_return");
    return &table;
}

#else

#include <stdio.h>

const struct dlp_mpi_table *dlp_mpi_open_openmpi(const char *file, char *problem, size_t capacity) {
    snprintf(problem, capacity, "%s: this dlp-lua was built without Open MPI's mpi.h", file);
    return NULL;
}

#endif
