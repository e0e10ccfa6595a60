// Any MPI by the binary interface of the MPI standard, by declarations of our own.

#include "CMPI.h"
#include "standard-abi.h"

#include "loading.h"

#define WORLD MPI_COMM_WORLD
#define BYTE MPI_BYTE
#define INT MPI_INT
#define MAX MPI_MAX
#define RETURN_ERRORS MPI_ERRORS_RETURN
#define FAMILY dlp_mpi_other

#include "calls.h"

const struct dlp_mpi_table *dlp_mpi_open_standard(const char *file, char *problem, size_t capacity) {
    return open_library(file, "MPI_Abi_get_version", "MPI", problem, capacity) ? &table : NULL;
}
