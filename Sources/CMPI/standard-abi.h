#pragma once

// The binary interface of the MPI standard, version 5.0, chapter "Application Binary Interface (ABI)": what dlp-lua
// needs of it. Libraries that have it are called libmpi_abi.so.1. The tests compare it with the header of one.

typedef struct MPI_ABI_Comm *MPI_Comm;
typedef struct MPI_ABI_Datatype *MPI_Datatype;
typedef struct MPI_ABI_Op *MPI_Op;
typedef struct MPI_ABI_Errhandler *MPI_Errhandler;
typedef struct MPI_ABI_Request *MPI_Request;
typedef struct MPI_ABI_Message *MPI_Message;

typedef struct {
    int MPI_SOURCE, MPI_TAG, MPI_ERROR;
    int internal[5];
} MPI_Status;

#define MPI_SUCCESS 0
#define MPI_ANY_SOURCE (-1)
#define MPI_THREAD_SERIALIZED 2048
#define MPI_MAX_LIBRARY_VERSION_STRING 8192
#define MPI_MAX_ERROR_STRING 512
#define MPI_COMM_WORLD ((MPI_Comm)0x101)
#define MPI_BYTE ((MPI_Datatype)0x247)
#define MPI_INT ((MPI_Datatype)0x209)
#define MPI_MAX ((MPI_Op)0x23)
#define MPI_ERRORS_RETURN ((MPI_Errhandler)0x143)
#define MPI_STATUS_IGNORE ((MPI_Status *)0)

#include "routines.h"
