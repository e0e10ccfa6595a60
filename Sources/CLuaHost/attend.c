#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

// Serves a program of dlp.run or dlp.coprocess while it runs. Nothing here raises an error, as that would leave behind
// descriptors and the program.
//
// A waiting call is woken by the signal that makes Lua code fail. The signal is blocked except during the wait, so it cannot
// arrive between a check and the wait.

enum {
    millisecond = 1000000,
    /// How long a program that was asked to end may take, and the interval of checks whether all programs that it started
    /// have ended.
    ending_grace = 500 * millisecond,
    ending_pause = 10 * millisecond,
    /// How long its outputs are still read after it has ended, if a program that it has started holds them open.
    output_grace = 200 * millisecond,
    /// The interval of checks whether it has ended, where the system cannot notify us.
    end_pause = 5 * millisecond,
    /// How long a program that must answer may take to end after it has closed its input or output.
    silent_grace = 500 * millisecond,
};

// MARK: - Reading and writing

void *dlp_resize_output(run *r, void *block, size_t old_size, size_t size) {
    void *allocator;
    lua_Alloc allocate = lua_getallocf(r->L, &allocator);
    return allocate(allocator, block, old_size, size);
}

static bool grow(run *r, output *o) {
    size_t step = o->capacity < (size_t)1 << 20 ? o->capacity : o->capacity / 2;
    size_t capacity = o->capacity + (step > 4096 ? step : 4096);
    char *bytes = dlp_resize_output(r, o->bytes, o->capacity, capacity);
    if (bytes == NULL) return false;
    o->bytes = bytes;
    o->capacity = capacity;
    return true;
}

void dlp_shrink_output(run *r, output *o) {
    char *bytes = dlp_resize_output(r, o->bytes, o->capacity, o->count);
    if (bytes == NULL && o->count > 0) return;
    o->bytes = bytes;
    o->capacity = o->count;
}

/// Notes that a program that must answer no longer can. It will end by itself, or is made to end.
static void note_silence(run *r) {
    if (!r->answers || r->is_silent || r->has_ended) return;
    r->is_silent = true;
    uint64_t last = dlp_now() + silent_grace;
    if (last < r->deadline) r->deadline = last;
}

/// Reads the available data of an output, and closes it at its end.
static void read_output(run *r, output *o) {
    static char discarded[4096];
    if (!r->is_full && o->count == o->capacity && !grow(r, o)) r->is_full = true;
    ssize_t count = r->is_full ? read(o->descriptor, discarded, sizeof discarded)
                               : read(o->descriptor, o->bytes + o->count, o->capacity - o->count);
    if (count < 0 && errno == EINTR) return;
    if (count <= 0) {
        note_silence(r);
        return close_descriptor(&o->descriptor);
    }
    if (r->is_full) return;
    if (r->answers && r->answer == 0) {
        const char *end = memchr(o->bytes + o->count, '\n', (size_t)count);
        if (end != NULL) r->answer = (size_t)(end - o->bytes) + 1;
    }
    o->count += (size_t)count;
}

/// Writes as much as possible to the standard input. Closes it once nothing more will come, or if its reader is gone.
static void write_input(run *r) {
    ssize_t count = write(r->input, r->rest, r->rest_count);
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0 && errno == EPIPE) {
        // The signal is blocked, so it is pending now.
        sigset_t signals;
        sigemptyset(&signals);
        sigaddset(&signals, SIGPIPE);
        sigtimedwait(&signals, NULL, &(struct timespec){0});
    }
    if (count >= 0) {
        r->rest += count;
        r->rest_count -= (size_t)count;
    }
    if (count < 0) note_silence(r);
    if (count < 0 || (r->rest_count == 0 && !r->answers)) close_descriptor(&r->input);
}

// MARK: - The end

void dlp_note_end(run *r) {
    siginfo_t end = {0};
    int result;
    do result = waitid(P_PID, (id_t)r->process, &end, WEXITED | WNOWAIT | WNOHANG);
    while (result != 0 && errno == EINTR);
    if (result == 0 && end.si_pid == 0) return;
    r->has_ended = true;
    r->ended_at = dlp_now();
    close_descriptor(&r->end);
    close_descriptor(&r->input);
}

/// Makes the program, and all that it has started, end, if there is a reason to.
static void press(run *r, uint64_t now) {
    if (r->asked_at == 0 && !r->has_ended) {
        bool is_late = now >= r->deadline;
        if (!is_late && !r->is_full && !dlp_is_to_fail(host_of(r->L))) return;
        r->is_late = is_late && !r->is_silent;
        r->asked_at = now;
        dlp_tree_add(&r->tree, r->process);
        dlp_tree_signal(&r->tree, SIGTERM);
    } else if (r->asked_at != 0 && !r->is_killed && now - r->asked_at >= ending_grace) {
        r->is_killed = true;
        dlp_tree_grow(&r->tree);
        dlp_tree_signal(&r->tree, SIGKILL);
    }
}

/// Returns whether everything is over. If not, `*pause` becomes the time until the next check is due without an event.
static bool is_over(run *r, uint64_t now, uint64_t *pause) {
    uint64_t next = UINT64_MAX;
    if (!r->has_ended) {
        if (r->asked_at == 0) next = r->deadline;
        else if (!r->is_killed) next = r->asked_at + ending_grace;
        if (r->end == none && next > now + end_pause) next = now + end_pause;
    } else {
        bool is_ending = r->asked_at != 0 && !r->is_killed && dlp_tree_runs(&r->tree);
        bool is_open = r->outputs[0].descriptor != none || r->outputs[1].descriptor != none;
        uint64_t last = r->ended_at + output_grace;
        if (!is_ending && (!is_open || now >= last)) return true;
        next = is_ending ? now + ending_pause : last;
    }
    *pause = next == UINT64_MAX ? next : next > now ? next - now : 0;
    return false;
}

int dlp_wait_for(struct pollfd *polled, nfds_t count, uint64_t pause, const sigset_t *mask) {
    struct timespec time = {(time_t)(pause / 1000000000u), (long)(pause % 1000000000u)};
    return ppoll(polled, count, pause == UINT64_MAX ? NULL : &time, mask);
}

/// Serves the program until it has answered, if it must, or until it and its outputs have ended.
static void attend(run *r) {
    for (;;) {
        if (r->answer > 0 && r->asked_at == 0) return;
        uint64_t now = dlp_now(), pause;
        press(r, now);
        if (is_over(r, now, &pause)) return;
        // `ppoll` ignores negative descriptors.
        int input = r->answers && r->rest_count == 0 ? none : r->input;
        struct pollfd polled[] = {
            {.fd = r->outputs[0].descriptor, .events = POLLIN}, {.fd = r->outputs[1].descriptor, .events = POLLIN},
            {.fd = input, .events = POLLOUT}, {.fd = r->end, .events = POLLIN},
        };
        int count = dlp_wait_for(polled, sizeof polled / sizeof *polled, pause, &r->mask);
        if (count < 0 && errno != EINTR) usleep(1000);
        for (int i = 0; i < 2 && count > 0; i++)
            if (polled[i].revents != 0) read_output(r, &r->outputs[i]);
        if (count > 0 && polled[2].revents != 0) write_input(r);
        if (!r->has_ended && (r->end == none || (count > 0 && polled[3].revents != 0))) dlp_note_end(r);
    }
}

void dlp_serve(run *r) {
    dlp_note_program(r->L, r->process);
    dlp_block_interruption(&r->mask);
    // A program may end, or close its input, before it has read everything.
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    attend(r);
    pthread_sigmask(SIG_SETMASK, &r->mask, NULL);
    dlp_forget_program(host_of(r->L), r->process);
}

bool dlp_reap(run *r, int *status, struct rusage *usage) {
    pid_t ended;
    do ended = wait4(r->process, status, 0, usage);
    while (ended < 0 && errno == EINTR);
    return ended >= 0;
}

void dlp_judge_end(run *r, int status) {
    host *h = host_of(r->L);
    // A program that handles the signal ends in its own way, with any status. If it failed for another reason, the example
    // is only done again.
    bool was_asked = r->asked_at != 0;
    if (!was_asked && (dlp_was_meant_for_all(h, dlp_signal_of(status)) || (status != 0 && dlp_is_told())))
        dlp_cut_short(r->L);
}
