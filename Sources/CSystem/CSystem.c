#include "CSystem.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t dlp_now(void) { return nanoseconds(CLOCK_MONOTONIC); }

uint64_t dlp_now_roughly(void) { return nanoseconds(CLOCK_MONOTONIC_COARSE); }

void dlp_leave_crashes_to_system(void) {
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGQUIT};
    if (getenv("SWIFT_BACKTRACE")) return;
    for (unsigned i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        struct sigaction present;
        // One that is ignored was so before us.
        if (sigaction(crashes[i], NULL, &present) == 0 && present.sa_handler != SIG_IGN) signal(crashes[i], SIG_DFL);
    }
}

static void do_nothing(int signal) { (void)signal; }

void dlp_survive_file_limit(void) {
    // Programs that are started from here would inherit that the signal is ignored, but no handler.
    struct sigaction present, action = {.sa_handler = do_nothing, .sa_flags = SA_RESTART};
    if (sigaction(SIGXFSZ, NULL, &present) == 0 && present.sa_handler == SIG_DFL) sigaction(SIGXFSZ, &action, NULL);
}

static int argument_count;
static char **arguments;

/// The C library calls it with what main will get.
__attribute__((constructor)) static void keep_arguments(int count, char **words) {
    argument_count = count;
    arguments = words;
}

int dlp_argument_count(void) { return argument_count; }

char **dlp_arguments(void) { return arguments; }
