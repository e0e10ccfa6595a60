#pragma once

#include <stddef.h>
#include <stdint.h>

// PMIx, by which Open MPI's mpiexec and Slurm's plugin pmix let their processes meet. The library is opened at run
// time, so that a program without it, or without such a launcher, needs nothing. One session per process and thread;
// functions that can fail return 0 or a code for dlp_pmix_message.

/// Opens the library; NULL where that is done, else why it cannot be.
const char *dlp_pmix_open(void);

/// What a code means.
const char *dlp_pmix_message(int code);

/// What the launcher says of this process.
struct dlp_pmix_place {
    uint32_t rank, size;
    /// How many ranks of the job this host has; 0 where that is not known.
    uint32_t local_size;
};

/// Begins the session with the launcher (PMIx_Init); the library must be open.
int dlp_pmix_begin(struct dlp_pmix_place *place);

/// Publishes `value` under `key`, for all ranks once they have fenced (PMIx_Put, PMIx_Commit).
int dlp_pmix_publish(const char *key, const char *value);

/// Waits until all ranks that live are here (PMIx_Fence_nb); ETIME where `milliseconds` are not enough.
///
/// Ranks that have ended are not waited for.
int dlp_pmix_fence(int milliseconds);

/// Writes what `rank` has published under `key` to `value`, with a NUL, waiting some seconds at most (PMIx_Get).
int dlp_pmix_look_up(const char *key, uint32_t rank, int seconds, char *value, size_t capacity);

/// Ends the session (PMIx_Finalize).
int dlp_pmix_end(void);
