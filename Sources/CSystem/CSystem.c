#include "CSystem.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t nanoseconds(clockid_t clock) {
    struct timespec t = {0};
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t dlp_now(void) { return nanoseconds(CLOCK_MONOTONIC); }

uint64_t dlp_now_roughly(void) { return nanoseconds(CLOCK_MONOTONIC_COARSE); }

static bool is_memory_limited(struct rlimit *limit) {
    return getrlimit(RLIMIT_AS, limit) == 0 && limit->rlim_cur != RLIM_INFINITY;
}

/// Whether most of the memory that this process may have is in use. Something that grows asks for as much again as it
/// has.
static bool is_memory_short(void) {
    struct rlimit limit;
    char text[32] = "";
    if (!is_memory_limited(&limit)) return false;
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    unsigned long long pages = 0;
    for (const char *digit = text; count > 0 && *digit >= '0' && *digit <= '9'; digit++) pages = pages * 10 + (*digit - '0');
    return pages * (unsigned long long)sysconf(_SC_PAGESIZE) > limit.rlim_cur / 2;
}

/// Swift ends a process that gets no memory by a crash, and many C libraries crash then, too.
static void crashed(int signal, siginfo_t *information, void *context) {
    (void)context;
    if (is_memory_short())
        dlp_quit(3, "out of memory: most of what its limit (ulimit -v) allows was in use when it crashed; raise it");
    // The handler is removed already: the system does the rest, at once or as soon as the instruction is tried again.
    if (information->si_code <= 0) raise(signal);
}

/// What was added to this thread's processor time.
static _Thread_local int64_t added;

void dlp_add_processor_time(int64_t nanoseconds) { added += nanoseconds; }

uint64_t dlp_processor_time_of(pid_t process) {
    clockid_t clock;
    return clock_getcpuclockid(process, &clock) == 0 ? nanoseconds(clock) : 0;
}

uint64_t dlp_processor_time(void) {
    struct rusage programs;
    uint64_t own = nanoseconds(CLOCK_THREAD_CPUTIME_ID) + (uint64_t)added;
    if (getrusage(RUSAGE_CHILDREN, &programs) != 0) return own;
    uint64_t seconds = (uint64_t)programs.ru_utime.tv_sec + (uint64_t)programs.ru_stime.tv_sec;
    uint64_t microseconds = (uint64_t)programs.ru_utime.tv_usec + (uint64_t)programs.ru_stime.tv_usec;
    return own + seconds * 1000000000u + microseconds * 1000u;
}

int dlp_processors(void) { return (int)sysconf(_SC_NPROCESSORS_ONLN); }

void dlp_leave_crashes_to_system(void) {
    static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGQUIT};
    static char stack[16384];
    if (getenv("SWIFT_BACKTRACE")) return;
    struct rlimit limit;
    bool is_limited = is_memory_limited(&limit);
    // The usual stack may have no room to grow.
    if (is_limited) sigaltstack(&(stack_t){.ss_sp = stack, .ss_size = sizeof stack}, NULL);
    for (unsigned i = 0; i < sizeof crashes / sizeof *crashes; i++) {
        struct sigaction present;
        // A signal that is ignored was so before this program began.
        if (sigaction(crashes[i], NULL, &present) || present.sa_handler == SIG_IGN) continue;
        struct sigaction own = {.sa_handler = SIG_DFL};
        if (is_limited && crashes[i] != SIGQUIT)
            own = (struct sigaction){
                .sa_sigaction = crashed, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND | SA_NODEFER};
        sigaction(crashes[i], &own, NULL);
    }
}

static void do_nothing(int signal) { (void)signal; }

void dlp_survive_file_limit(void) {
    // Programs that are started from here would inherit it if the signal were ignored, but they do not inherit a
    // handler.
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
