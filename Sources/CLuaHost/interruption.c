#define _GNU_SOURCE
#include "track.h"

#include <stdio.h>
#include <unistd.h>

// Lua code is made to fail by a hook. A hook slows Lua code down, so it is set only when the code is to fail: another thread
// sends a signal to the thread that runs the state, and the signal handler sets the hook. lua_sethook may be called
// there. The hook stays set, because a script that catches the error must fail again.

/// By default this signal is ignored, and hardly any program uses it.
enum { INTERRUPT_SIGNAL = SIGURG };

#if __has_feature(thread_sanitizer)
// The sanitizer holds signals back until their thread calls a function that it intercepts, which a loop in Lua never does.
int __sigaction(int signal, const struct sigaction *action, struct sigaction *previous);
#define sigaction(signal, action, previous) __sigaction(signal, action, previous)
#endif

/// The newest state that this thread has made.
static _Thread_local lua_State *newest_here;

/// Whether this process was told to end by a signal; and whether its Lua code is to wait for the end.
static atomic_bool is_told, is_held;

IN_HANDLER static bool is_to_fail(host *h) { return h->is_late || atomic_load(&h->is_over) || atomic_load(&is_held); }

IN_HANDLER static bool is_expired(host *h) {
    uint64_t count = atomic_load(&h->example_count);
    return count % 2 == 1 && atomic_load(&h->late_count) == count;
}

static void fail_hook(lua_State *L, lua_Debug *event);

IN_HANDLER static void arm(lua_State *L) { lua_sethook(L, fail_hook, LUA_MASKCOUNT | LUA_MASKCALL | LUA_MASKRET, 1); }

/// Sets the hook for normal operation. If a signal has meanwhile found a reason to fail, sets that hook again.
static void disarm(lua_State *L) {
    bool tracks = host_of(L)->tracker != NULL && dlp_example_under_way(L).number != 0;
    lua_sethook(L, tracks ? dlp_track_call : NULL, tracks ? LUA_MASKCALL : 0, 0);
    atomic_signal_fence(memory_order_seq_cst);
    if (is_to_fail(host_of(L))) arm(L);
}

/// Waits until the job is over, but not forever, in case the thread that ends the job is gone.
static void wait_for_end(host *h) {
    static const useconds_t pause = 2000;
    for (useconds_t waited = 0; waited < 5000000 && !atomic_load(&h->is_over); waited += pause) usleep(pause);
}

static void fail_hook(lua_State *L, lua_Debug *event) {
    (void)event;
    host *h = host_of(L);
    // A coroutine may still have the hook from an example that has ended.
    if (!is_to_fail(h)) return disarm(L);
    if (atomic_load(&is_held)) wait_for_end(h);
    dlp_push_where(L);
    if (atomic_load(&h->is_over) || atomic_load(&is_held)) {
        lua_pushliteral(L, "interrupted: the job is over");
    } else if (h->is_cut_short) {
        lua_pushliteral(L, "interrupted: a signal has ended the program");
    } else {
        lua_pushstring(L, h->late_message);
        // The body of a loop is left through code of the module. A script that goes on all the same soon fails once more.
        if (h->is_body) {
            h->is_late = false;
            disarm(L);
        }
    }
    lua_concat(L, 2);
    lua_error(L);
}

IN_HANDLER static void handle_signal(int signal) {
    (void)signal;
    if (newest_here == NULL) return;
    host *h = host_of(newest_here);
    // Examples begin and end on this same thread, so their state does not change until the handler returns. A signal that
    // arrives after its example has ended therefore does nothing to the next one.
    if (is_expired(h)) h->is_late = true;
    if (is_to_fail(h)) arm(h->running);
}

void dlp_open_interruption(lua_State *L) {
    host *h = host_of(L);
    h->thread = pthread_self();
    h->running = L;
    h->previous = newest_here;
    newest_here = L;
    struct sigaction action = {.sa_handler = handle_signal, .sa_flags = SA_RESTART};
    sigaction(INTERRUPT_SIGNAL, &action, NULL);
    // The creator of this thread, or the parent process, may have blocked the signal.
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, INTERRUPT_SIGNAL);
    pthread_sigmask(SIG_UNBLOCK, &mask, NULL);
}

void dlp_close_interruption(lua_State *L) {
    for (lua_State **link = &newest_here; *link != NULL; link = &host_of(*link)->previous) {
        if (*link == L) {
            *link = host_of(L)->previous;
            return;
        }
    }
}

void dlp_switch_to(lua_State *co) {
    host *h = host_of(co);
    h->running = co;
    atomic_signal_fence(memory_order_seq_cst);
    if (is_to_fail(h)) arm(co);
    // A coroutine that was made before tracking began has no hook.
    else if (h->tracker != NULL) disarm(co);
}

void dlp_interrupt(lua_State *L) {
    host *h = host_of(L);
    atomic_store(&h->is_over, true);
    pthread_kill(h->thread, INTERRUPT_SIGNAL);
}

IN_HANDLER void dlp_note_signal(bool holds) {
    atomic_store(&is_told, true);
    if (!holds) return;
    atomic_store(&is_held, true);
    // If another thread got the signal, the main thread is informed by our own signal.
    if (getpid() == gettid()) {
        handle_signal(INTERRUPT_SIGNAL);
    } else {
        tgkill(getpid(), getpid(), INTERRUPT_SIGNAL);
    }
}

bool dlp_is_to_fail(host *h) { return is_to_fail(h); }

bool dlp_is_expired(host *h) { return is_expired(h); }

void dlp_block_interruption(sigset_t *previous) {
    sigset_t blocked;
    sigemptyset(&blocked);
    sigaddset(&blocked, INTERRUPT_SIGNAL);
    pthread_sigmask(SIG_BLOCK, &blocked, previous);
}

bool dlp_is_told(void) { return atomic_load(&is_told); }

// MARK: The time of an example

void dlp_set_late_message(lua_State *L, const char *text) {
    host *h = host_of(L);
    snprintf(h->late_message, sizeof h->late_message, "%s", text);
}

/// Counts a beginning or an end. Only the thread that runs the state does this.
static void count_example(host *h) {
    uint64_t count = atomic_load_explicit(&h->example_count, memory_order_relaxed);
    atomic_store_explicit(&h->example_count, count + 1, memory_order_release);
    atomic_signal_fence(memory_order_seq_cst);
}

void dlp_begin_example(lua_State *L, lua_Integer index) {
    host *h = host_of(L);
    atomic_store_explicit(&h->example_index, index, memory_order_relaxed);
    h->is_element = h->is_body = false;
    count_example(h);
    if (h->tracker == NULL) return;
    dlp_track_begin(L, index);
    disarm(L);
}

void dlp_begin_element(lua_State *L, lua_Integer index, bool is_body) {
    if (dlp_example_under_way(L).number) dlp_end_example(L);
    dlp_begin_example(L, index);
    host_of(L)->is_element = true;
    host_of(L)->is_body = is_body;
}

void dlp_end_example(lua_State *L) {
    host *h = host_of(L);
    count_example(h);
    if (h->tracker != NULL) dlp_track_end(L);
    if (!h->is_late && h->tracker == NULL) return;
    h->is_late = false;
    disarm(L);
}

dlp_example dlp_example_under_way(lua_State *L) {
    host *h = host_of(L);
    uint64_t count = atomic_load(&h->example_count);
    return (dlp_example){count % 2 == 1 ? count : 0, atomic_load(&h->example_index)};
}

bool dlp_is_at_element(lua_State *L) { return dlp_example_under_way(L).number && host_of(L)->is_element; }

void dlp_expire_example(lua_State *L, uint64_t count) {
    host *h = host_of(L);
    atomic_store(&h->late_count, count);
    pthread_kill(h->thread, INTERRUPT_SIGNAL);
}

void dlp_cut_short(lua_State *L) {
    host *h = host_of(L);
    if (!dlp_example_under_way(L).number || h->is_body) return wait_for_end(h);
    h->is_cut_short = h->is_late = true;
    arm(L);
}
