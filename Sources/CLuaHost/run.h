// Declarations shared by the C files of dlp.run and dlp.coprocess: the program that is run.
#pragma once

#include "host.h"

#include <CSystem.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
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
    /// A descriptor that becomes readable when the program ends.
    int end;
    /// The descriptor of its standard input, and the data still to be written to it.
    int input;
    const char *rest;
    size_t rest_count;
    output outputs[2];
    /// Whether there is no memory for more output.
    bool is_full;
    uint64_t deadline, ended_at;
    bool has_ended, is_late;
    /// It is a coprocess: it lives on from one line to the next, and answers each with a line. Whether it has closed its
    /// input or output and can no longer answer. The length of its answer, including the line end, or 0.
    bool answers, is_silent;
    size_t answer;
    /// When it was asked to end (0: it was not), and whether it was then killed.
    uint64_t asked_at;
    bool is_killed;
    struct dlp_tree tree;
    sigset_t mask;
} run;

static inline void close_descriptor(int *descriptor) {
    if (*descriptor > STDERR_FILENO) close(*descriptor);
    *descriptor = none;
}

/// Returns the descriptor, or a copy of it that is not a standard one; none, with errno set, if that fails.
int dlp_above_standard(int descriptor);

/// Makes a pipe of two such descriptors; returns false, with errno set, if that fails.
bool dlp_make_pipe(int *reader, int *writer);

/// Describes the program by the words, the directory and the environment at these indices. The result points to values on the
/// stack. May raise. [-0, +(1 | 2)]
struct dlp_program dlp_describe_program(lua_State *L, int words, int directory, int environment);

/// Starts the program. If that fails, returns false, with errno set, and the action and the object that failed.
bool dlp_start_run(run *r, const char **what, const char **object);

/// Closes the descriptors that are the program's.
void dlp_close_standard(run *r);

/// Closes all open descriptors, and frees the memory.
void dlp_finish_run(run *r);

/// Pushes nil and the reason why the program does not run; returns 2.
int dlp_push_failure(lua_State *L, const char *what, const char *object, int error);

/// Gives the block of an output this size, with the allocator that keeps to the memory limit; NULL if that refuses.
void *dlp_resize_output(run *r, void *block, size_t old_size, size_t size);

/// Reduces an output's block to its contents, until it becomes a string.
void dlp_shrink_output(run *r, output *o);

/// Serves the program, which has started, until it has answered, if it must, or until it and its outputs have ended.
void dlp_serve(run *r);

/// Notes whether the program has ended.
void dlp_note_end(run *r);

/// Takes the status of a program that has ended. Returns false, with errno set, if other code in this process has taken it;
/// then it is unknown how the program ended.
bool dlp_reap(run *r, int *status, struct rusage *usage);

/// Leaves the example undone if a signal to the whole job has ended the program with this status.
void dlp_judge_end(run *r, int status);

/// Waits for events on descriptors, for `pause` nanoseconds (UINT64_MAX: forever), or for a signal that `mask` lets through;
/// returns the same as `poll`.
int dlp_wait_for(struct pollfd *polled, nfds_t count, uint64_t pause, const sigset_t *mask);
