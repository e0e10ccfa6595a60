// What the C files of dlp.run and dlp.coprocess share: the program that is run.
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
    /// It lives on from one line that it is given to the next, and answers each with a line. The length of that, with its
    /// end, or 0; and whether it has closed its input or output instead.
    bool answers, is_silent;
    size_t answer;
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

/// The descriptor, or another one of its file that is no standard one; none, with errno set, where it cannot be had.
int dlp_above_standard(int descriptor);

/// Makes a pipe of two such descriptors; false, with errno set, where it cannot.
bool dlp_make_pipe(int *reader, int *writer);

/// The program of the words, the directory and the environment at these indices. What it points to is on the stack; may
/// raise. [-0, +(1 | 2)]
struct dlp_program dlp_describe_program(lua_State *L, int words, int directory, int environment);

/// Starts the program; or returns false, with errno set and what could not be done to what.
bool dlp_start_run(run *r, const char **what, const char **object);

/// Closes what is the program's.
void dlp_close_standard(run *r);

/// Closes what is open, and frees the memory.
void dlp_finish_run(run *r);

/// Pushes nil and why the program does not run; returns 2.
int dlp_push_failure(lua_State *L, const char *what, const char *object, int error);

/// Gives a block of an output this size, by the allocator that keeps to the memory limit; NULL where it does not allow that.
void *dlp_resize_output(run *r, void *block, size_t old_size, size_t size);

/// Lets an output have no more room than it needs, until it is a string.
void dlp_shrink_output(run *r, output *o);

/// Serves the program, which has started, until it has answered, where it shall, or has ended, and its outputs have.
void dlp_serve(run *r);

/// Notes whether the program has ended.
void dlp_note_end(run *r);

/// Takes the status of a program that has ended; or returns false, with errno set, where somebody else's code in this process
/// has taken it: then nobody knows how it ended.
bool dlp_reap(run *r, int *status, struct rusage *usage);

/// Lets the example stay undone where a signal to the whole job has ended the program with this status.
void dlp_judge_end(run *r, int status);

/// Waits for events on descriptors, or for so many nanoseconds (UINT64_MAX: for ever), or for a signal that `mask` lets
/// through; as `poll` returns.
int dlp_wait_for(struct pollfd *polled, nfds_t count, uint64_t pause, const sigset_t *mask);
