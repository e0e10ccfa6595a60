#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static char name[320];

void dlp_name_process(const char *text) { snprintf(name, sizeof name, "%s", text); }

/// One line on standard error; signal handlers call it.
static void say(const char *text) {
    const char *who = name[0] ? name : program_invocation_short_name;
    struct iovec parts[4] = {{(void *)who, strlen(who)}, {": ", 2}, {(void *)text, strlen(text)}, {"\n", 1}};
    ssize_t written = writev(STDERR_FILENO, parts, 4);
    // Where even this fails, there is no way to report it.
    (void)written;
}

void dlp_quit(int status, const char *why) {
    say(why);
    _exit(status);
}

void dlp_quit_without_descriptor(void) {
    dlp_quit(3, "a descriptor that it needs cannot be used any more: has a C library closed what it had not opened?");
}

void dlp_quit_without_memory(size_t wanted) {
    char text[200];
    snprintf(text, sizeof text, "out of memory: the system refuses %zu bytes; raise its limit (ulimit -v), or start fewer ranks",
        wanted);
    dlp_quit(3, text);
}

// MARK: - Ends that others bring about

/// The process in which only this program may call exit; 0: any code may.
static _Atomic pid_t guarded;

static void exit_was_called(int status, void *context) {
    (void)context;
    // A process that a C library has forked may end as it likes.
    if (atomic_load(&guarded) != getpid()) return;
    fflush(stdout);
    char text[120];
    snprintf(text, sizeof text, "a C library has called exit(%d) before the job was done", status);
    dlp_quit(status & 0xff ? status : 3, text);
}

void dlp_guard_exit(void) {
    static atomic_flag is_registered = ATOMIC_FLAG_INIT;
    if (!atomic_flag_test_and_set(&is_registered)) on_exit(exit_was_called, NULL);
    atomic_store(&guarded, getpid());
}

void dlp_allow_exit(void) { atomic_store(&guarded, 0); }

// MARK: - Signals before anybody watches for them

static bool speaks;

void dlp_die_by_signal(int number) {
    signal(number, SIG_DFL);
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, number);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    raise(number);
    _exit(128 + number);
}

static void end_by_signal(int signal) {
    if (!speaks) dlp_die_by_signal(signal);
    say("interrupted");
    _exit(128 + signal);
}

void dlp_begin_process(const char *program, bool is_speaker) {
    dlp_name_process(program);
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    speaks = is_speaker;
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction present, own = {.sa_handler = end_by_signal};
        // A signal that is ignored was so before this program began.
        if (sigaction(signals[i], NULL, &present) == 0 && present.sa_handler != SIG_IGN) sigaction(signals[i], &own, NULL);
    }
    // A signal that a parent has blocked would never end this process, nor those that it starts.
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}
