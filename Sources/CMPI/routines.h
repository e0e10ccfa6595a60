// The MPI functions that dlp-lua calls, as the standard declares them for C; the types are declared before.

int MPI_Abort(MPI_Comm communicator, int status);
int MPI_Allreduce(const void *from, void *to, int count, MPI_Datatype type, MPI_Op operation, MPI_Comm communicator);
int MPI_Comm_dup(MPI_Comm communicator, MPI_Comm *duplicate);
int MPI_Comm_rank(MPI_Comm communicator, int *rank);
int MPI_Comm_set_errhandler(MPI_Comm communicator, MPI_Errhandler handler);
int MPI_Comm_size(MPI_Comm communicator, int *size);
int MPI_Error_string(int code, char *text, int *length);
int MPI_Finalize(void);
int MPI_Get_count(const MPI_Status *status, MPI_Datatype type, int *count);
int MPI_Get_library_version(char *text, int *length);
int MPI_Ibarrier(MPI_Comm communicator, MPI_Request *request);
int MPI_Ibcast(void *bytes, int count, MPI_Datatype type, int root, MPI_Comm communicator, MPI_Request *request);
int MPI_Improbe(int source, int tag, MPI_Comm communicator, int *found, MPI_Message *message, MPI_Status *status);
int MPI_Imrecv(void *bytes, int count, MPI_Datatype type, MPI_Message *message, MPI_Request *request);
int MPI_Init_thread(int *count, char ***arguments, int required, int *provided);
int MPI_Irecv(void *bytes, int count, MPI_Datatype type, int source, int tag, MPI_Comm communicator, MPI_Request *request);
int MPI_Isend(
    const void *bytes, int count, MPI_Datatype type, int destination, int tag, MPI_Comm communicator, MPI_Request *request);
int MPI_Test(MPI_Request *request, int *done, MPI_Status *status);
