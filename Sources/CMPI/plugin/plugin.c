// A plugin for dlp-lua: the calls of an MPI, compiled by that MPI's own compiler (scripts/build-mpi-plugin).

#include <mpi.h>

#include "family.h"

#define ROUTINE(name) MPI_##name
#define WORLD MPI_COMM_WORLD
#define BYTE MPI_BYTE
#define INT MPI_INT
#define MAX MPI_MAX
#define RETURN_ERRORS MPI_ERRORS_RETURN
#define FAMILY_OF(name) PREFIXED_FAMILY(name)
#define PREFIXED_FAMILY(name) dlp_mpi_##name
#define FAMILY FAMILY_OF(DLP_MPI_FAMILY)

#include "../calls.h"

const struct dlp_mpi_table *dlp_mpi_plugin(void);
const struct dlp_mpi_table *dlp_mpi_plugin(void) { return &table; }
