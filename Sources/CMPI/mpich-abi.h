#pragma once

// The binary interface of MPICH: what dlp-lua needs of it, with the numbers that MPICH, Intel MPI, MVAPICH and Cray MPICH
// have agreed to keep (MPICH ABI Compatibility Initiative: libmpi.so.12). The tests compare it with MPICH's own header.

typedef int MPI_Comm, MPI_Datatype, MPI_Op, MPI_Errhandler, MPI_Request, MPI_Message;

typedef struct {
    int count_low, count_high_and_cancelled;
    int MPI_SOURCE, MPI_TAG, MPI_ERROR;
} MPI_Status;

#define MPI_SUCCESS 0
#define MPI_ANY_SOURCE (-2)
#define MPI_THREAD_SERIALIZED 2
#define MPI_MAX_LIBRARY_VERSION_STRING 8192
#define MPI_MAX_ERROR_STRING 512
#define MPI_COMM_WORLD ((MPI_Comm)0x44000000)
#define MPI_BYTE ((MPI_Datatype)0x4c00010d)
#define MPI_INT ((MPI_Datatype)0x4c000405)
#define MPI_MAX ((MPI_Op)0x58000001)
#define MPI_ERRORS_RETURN ((MPI_Errhandler)0x54000001)
#define MPI_STATUS_IGNORE ((MPI_Status *)1)

#include "routines.h"
