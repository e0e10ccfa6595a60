#pragma once

#include <stddef.h>
#include <stdint.h>

// What dlp-lua needs of an MPI library, as plain C: an MPI's handles are numbers in one library and pointers in the
// next, and so are its constants, so that only code compiled for its binary interface can call it. calls.h is compiled
// into dlp-lua for the three interfaces that exist, and by scripts/build-mpi-plugin for any other MPI into a plugin.

/// The version of `struct dlp_mpi_table`: a plugin of another version is refused.
#define DLP_MPI_TABLE_VERSION 2

#ifdef __clang__
#pragma clang assume_nonnull begin
#else
#define _Nullable
#endif

/// The family of the <mpi.h> that a table was compiled with.
enum dlp_mpi_family {
    dlp_mpi_openmpi = 1,
    /// MPICH and what has its interface: Intel MPI, MVAPICH, Cray MPICH.
    dlp_mpi_mpich = 2,
    dlp_mpi_other = 3,
};

/// An MPI_Request, of whatever type that is.
struct dlp_mpi_request {
    uint64_t handle;
};

/// An MPI_Message: one that `probe` has found and that waits to be received.
struct dlp_mpi_message {
    uint64_t handle;
    int source;
    int byte_count;
};

/// The calls. Every one that returns an int, except `takes_turns`, returns 0, or -1 where MPI failed; then `failure`
/// says how.
///
/// Messages use a communicator of their own, and broadcasts another, so that what a script's C modules do with MPI does
/// not mix with them. All calls except `library_version` belong to the thread that called `start`, or where the library
/// `takes_turns` to one thread at a time.
struct dlp_mpi_table {
    /// `DLP_MPI_TABLE_VERSION`; this and what it means stay in front for ever.
    uint32_t version;
    /// An `enum dlp_mpi_family`.
    uint32_t family;

    /// Writes what the library calls itself, cut to `capacity`; allowed before `start`.
    int (*library_version)(char *text, size_t capacity);
    /// Writes the routine that failed last, and the library's words for it.
    void (*failure)(char *text, size_t capacity);

    /// Initializes MPI and makes the communicators; every rank must call it. Failures are returned from here on.
    int (*start)(int *rank, int *size);
    /// Whether other threads than the one that has called `start` may call as well, one at a time.
    int (*takes_turns)(void);
    /// Gives every rank the greatest of all ranks' values.
    int (*maximum)(int value, int *greatest);
    /// Begins to send.
    int (*send)(const void *_Nullable bytes, int count, int destination, int tag, struct dlp_mpi_request *request);
    /// Sets `found` to whether a message with this tag has come, from any rank. It becomes `message`, and is for
    /// `receive_found` only.
    int (*probe)(int tag, int *found, struct dlp_mpi_message *message);
    /// Begins to receive a message that was found.
    int (*receive_found)(struct dlp_mpi_message *message, void *bytes, struct dlp_mpi_request *request);
    /// Begins to receive exactly `count` bytes.
    int (*receive)(void *_Nullable bytes, int count, int source, int tag, struct dlp_mpi_request *request);
    /// Begins to broadcast from rank 0: every rank must call it, in the same order.
    int (*broadcast)(void *_Nullable bytes, int count, struct dlp_mpi_request *request);
    /// Begins to wait for every other rank to call this too.
    int (*barrier)(struct dlp_mpi_request *request);
    /// Makes progress. Sets `done` to whether what a request stands for is done; after that the request is of no more
    /// use.
    int (*test)(struct dlp_mpi_request *request, int *done);
    /// Ends MPI; every rank must call it.
    int (*finish)(void);
    /// Ends the processes of all ranks; returns only where the library cannot.
    void (*abort)(int status);
};

/// The table for Open MPI, whose library `file` is opened now. NULL where that fails; then `problem` says why.
const struct dlp_mpi_table *_Nullable dlp_mpi_open_openmpi(const char *file, char *problem, size_t capacity);

/// The same for MPICH and all that has its interface.
const struct dlp_mpi_table *_Nullable dlp_mpi_open_mpich(const char *file, char *problem, size_t capacity);

/// The same for libraries with the interface of the MPI standard; its family is not known from that.
const struct dlp_mpi_table *_Nullable dlp_mpi_open_standard(const char *file, char *problem, size_t capacity);

/// Writes the path of the library `name` where it is part of this process already; else nothing.
void dlp_mpi_find_loaded(const char *name, char *file, size_t capacity);

/// The table of the plugin `file`, which is opened now. NULL where that fails; then `problem` says why.
const struct dlp_mpi_table *_Nullable dlp_mpi_open_plugin(const char *file, char *problem, size_t capacity);

#ifdef __clang__
#pragma clang assume_nonnull end
#endif
