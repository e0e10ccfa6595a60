// What dlp.run's C files share: the program that is run.
#pragma once

#include "host.h"

#include <CSystem.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

enum { none = -1 };

/// An output that is captured.
typedef struct {
    int descriptor;
    char *bytes;
    size_t count, capacity;
} output;

/// A program that is run.
typedef struct {
    lua_State *L;
    struct dlp_program program;
    pid_t process;
    /// Becomes readable when it ends.
    int end;
    /// What is still to be written to its standard input, and where.
    int input;
    const char *rest;
    size_t rest_count;
    output outputs[2];
    /// Whether there is no memory for more of them.
    bool is_full;
    uint64_t deadline, ended_at;
    bool has_ended, is_late;
    /// It is made to end: it was asked to at this time, and then killed.
    uint64_t asked_at;
    bool is_killed;
    struct dlp_tree tree;
    sigset_t mask;
} run;

static inline void close_descriptor(int *descriptor) {
    if (*descriptor > STDERR_FILENO) close(*descriptor);
    *descriptor = none;
}

/// Gives a block of an output this size, by the allocator that keeps to the memory limit; NULL where it does not allow that.
void *dlp_resize_output(run *r, void *block, size_t old_size, size_t size);

/// Serves the program until it has ended, and its outputs have. SIGPIPE, and the signal that makes Lua code fail, are blocked.
void dlp_attend(run *r);

/// Waits for events on descriptors, or for so many nanoseconds (UINT64_MAX: for ever), or for a signal that `mask` lets
/// through; as `poll` returns.
int dlp_wait_for(struct pollfd *polled, nfds_t count, uint64_t pause, const sigset_t *mask);
