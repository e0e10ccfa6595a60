#pragma once

// The family of the <mpi.h> that was included before: the end of an `enum dlp_mpi_family` constant, and of a plugin's
// name.
#if defined(OPEN_MPI)
#define DLP_MPI_FAMILY openmpi
#elif defined(MPICH_VERSION) || defined(MPICH_NUMVERSION) || defined(I_MPI_VERSION) || defined(MVAPICH2_VERSION)
#define DLP_MPI_FAMILY mpich
#else
#define DLP_MPI_FAMILY other
#endif
