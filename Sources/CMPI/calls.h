// The calls of an MPI library, behind `struct dlp_mpi_table`; included once by a file that has declared the library's
// types and defined how its routines are called, ROUTINE(name), its handles, WORLD, BYTE, INT, MAX and RETURN_ERRORS,
// and its FAMILY.

#include "CMPI.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(MPI_Request) <= sizeof(uint64_t), "a request fits into its opaque form");
_Static_assert(sizeof(MPI_Message) <= sizeof(uint64_t), "a message fits into its opaque form");

static MPI_Comm messages, broadcasts;

static const char *failed_routine;
static int failed_code;

static int check(int code, const char *routine) {
    if (code == MPI_SUCCESS) return 0;
    failed_routine = routine;
    failed_code = code;
    return -1;
}

#define CALL(name, ...) check(ROUTINE(name)(__VA_ARGS__), "MPI_" #name)

static void copy_text(char *text, size_t capacity, const char *source) { snprintf(text, capacity, "%s", source); }

static int library_version(char *text, size_t capacity) {
    char version[MPI_MAX_LIBRARY_VERSION_STRING] = "";
    int length;
    if (CALL(Get_library_version, version, &length)) return -1;
    copy_text(text, capacity, version);
    return 0;
}

static void failure(char *text, size_t capacity) {
    char words[MPI_MAX_ERROR_STRING] = "";
    int length;
    if (ROUTINE(Error_string)(failed_code, words, &length) != MPI_SUCCESS) {
        snprintf(words, sizeof words, "error %d", failed_code);
    }
    snprintf(text, capacity, "%s: %s", failed_routine, words);
}

static int thread_level;

static int start(int *rank, int *size) {
    return CALL(Init_thread, NULL, NULL, MPI_THREAD_SERIALIZED, &thread_level) ||
                   // The duplicates inherit the handler, and errors that belong to no communicator use it.
                   CALL(Comm_set_errhandler, WORLD, RETURN_ERRORS) || CALL(Comm_dup, WORLD, &messages) ||
                   CALL(Comm_dup, WORLD, &broadcasts) || CALL(Comm_rank, messages, rank) ||
                   CALL(Comm_size, messages, size)
               ? -1
               : 0;
}

static int takes_turns(void) { return thread_level >= MPI_THREAD_SERIALIZED; }

static int maximum(int value, int *greatest) {
    return CALL(Allreduce, &value, greatest, 1, INT, MAX, messages);
}

static void store_request(MPI_Request request, struct dlp_mpi_request *opaque) {
    memcpy(&opaque->handle, &request, sizeof request);
}

static int begin_send(const void *bytes, int count, int destination, int tag, struct dlp_mpi_request *opaque) {
    MPI_Request request;
    if (CALL(Isend, bytes, count, BYTE, destination, tag, messages, &request)) return -1;
    store_request(request, opaque);
    return 0;
}

static int probe(int tag, int *found, struct dlp_mpi_message *opaque) {
    MPI_Message message;
    MPI_Status status;
    if (CALL(Improbe, MPI_ANY_SOURCE, tag, messages, found, &message, &status)) return -1;
    if (!*found) return 0;
    memcpy(&opaque->handle, &message, sizeof message);
    opaque->source = status.MPI_SOURCE;
    return CALL(Get_count, &status, BYTE, &opaque->byte_count);
}

static int receive_found(struct dlp_mpi_message *opaque, void *bytes, struct dlp_mpi_request *request_opaque) {
    MPI_Message message;
    MPI_Request request;
    memcpy(&message, &opaque->handle, sizeof message);
    if (CALL(Imrecv, bytes, opaque->byte_count, BYTE, &message, &request)) return -1;
    store_request(request, request_opaque);
    return 0;
}

static int begin_receive(void *bytes, int count, int source, int tag, struct dlp_mpi_request *opaque) {
    MPI_Request request;
    if (CALL(Irecv, bytes, count, BYTE, source, tag, messages, &request)) return -1;
    store_request(request, opaque);
    return 0;
}

static int begin_broadcast(void *bytes, int count, struct dlp_mpi_request *opaque) {
    MPI_Request request;
    if (CALL(Ibcast, bytes, count, BYTE, 0, broadcasts, &request)) return -1;
    store_request(request, opaque);
    return 0;
}

static int begin_barrier(struct dlp_mpi_request *opaque) {
    MPI_Request request;
    // Not on the communicator of broadcasts: a rank may begin the barrier before the last broadcast, which other ranks
    // begin first.
    if (CALL(Ibarrier, messages, &request)) return -1;
    store_request(request, opaque);
    return 0;
}

static int test(struct dlp_mpi_request *opaque, int *done) {
    MPI_Request request;
    memcpy(&request, &opaque->handle, sizeof request);
    if (CALL(Test, &request, done, MPI_STATUS_IGNORE)) return -1;
    store_request(request, opaque);
    return 0;
}

static int finish(void) { return CALL(Finalize); }

static void abort_all(int status) { ROUTINE(Abort)(WORLD, status); }

static const struct dlp_mpi_table table = {
    .version = DLP_MPI_TABLE_VERSION,
    .family = FAMILY,
    .library_version = library_version,
    .failure = failure,
    .start = start,
    .takes_turns = takes_turns,
    .maximum = maximum,
    .send = begin_send,
    .probe = probe,
    .receive_found = receive_found,
    .receive = begin_receive,
    .broadcast = begin_broadcast,
    .barrier = begin_barrier,
    .test = test,
    .finish = finish,
    .abort = abort_all,
};
