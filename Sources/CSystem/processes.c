#define _GNU_SOURCE
#include "CSystemProcesses.h"
#include "vfork.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/// One packet to the guardian; far below PIPE_BUF, so that packets of several writers stay whole.
struct packet {
    int32_t word, target;
};

// MARK: - Starting a process

/// What the new process does before exec; returns only on failure, with errno set.
IN_CHILD static void become(const struct dlp_process *p) {
    if (p->own_group && setpgid(0, 0) != 0) return;
    // The signal that the guardian would send first. If the guardian is killed together with its launcher, most ranks
    // still end.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    // The process announces itself, so that there is no moment in which it exists and the guardian does not know it.
    if (dlp_guardian_tell(p->guardian, dlp_guardian_watch, p->own_group ? -getpid() : getpid()) != 0) return;
    if (dlp_place(p->input, 0) < 0 || dlp_place(p->output, 1) < 0 || dlp_place(p->error, 2) < 0) return;
    // This includes what the caller itself inherited, such as the `3>file` of a shell.
    dlp_close_from(3, true);
    for (int i = 0; i < p->inherited_count; i++)
        if (fcntl(p->inherited[i], F_SETFD, 0) != 0) return;
    if (p->cpu >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(p->cpu, &set);
        if (sched_setaffinity(0, sizeof set, &set) != 0) return;
    }
    struct rlimit limit;
    if (p->descriptor_limit > 0 && getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = p->descriptor_limit;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    // A signal before exec ends this process like any other, and does not run a handler of its parent.
    static const int handled[] = {SIGINT, SIGTERM, SIGHUP};
    for (unsigned i = 0; i < sizeof handled / sizeof *handled; i++) {
        struct sigaction present;
        if (sigaction(handled[i], NULL, &present) == 0 && present.sa_handler != SIG_IGN) signal(handled[i], SIG_DFL);
    }
    sigprocmask(SIG_SETMASK, p->mask, NULL);
    execvpe(p->arguments[0], p->arguments, p->environment);
}

pid_t dlp_process_start(const struct dlp_process *process) {
    // The new process shares this memory, and this one sleeps, until exec has succeeded or the new process has ended.
    // So an error needs no channel of its own, and a start costs no copy of page tables. It shares neither
    // descriptors nor signal mask, and all signals that have a handler anywhere are blocked.
    volatile int failure = 0;
    pid_t pid = vfork();
    if (pid == 0) {
        become(process);
        failure = errno;
        _exit(127);
    }
    if (pid > 0 && failure != 0) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        dlp_guardian_tell(process->guardian, dlp_guardian_forget, process->own_group ? -pid : pid);
        errno = failure;
        return -1;
    }
    return pid;
}

int dlp_output_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC) == 0 ? fcntl(ends[0], F_SETFL, O_NONBLOCK) : -1;
}

// MARK: - The guardian

int dlp_guardian_tell(int descriptor, enum dlp_guardian_word word, pid_t target) {
    struct packet packet = {word, target};
    ssize_t written;
    do written = write(descriptor, &packet, sizeof packet);
    while (written < 0 && errno == EINTR);
    return written == (ssize_t)sizeof packet ? 0 : -1;
}

/// What a guardian watches.
struct targets {
    pid_t *all;
    size_t count, capacity;
};

static void watch(struct targets *t, pid_t target) {
    if (t->count == t->capacity) {
        size_t capacity = t->capacity > 0 ? 2 * t->capacity : 64;
        pid_t *grown = realloc(t->all, capacity * sizeof *grown);
        if (grown == NULL) return;
        t->all = grown;
        t->capacity = capacity;
    }
    t->all[t->count++] = target;
}

static void forget(struct targets *t, pid_t target) {
    for (size_t i = 0; i < t->count; i++)
        if (t->all[i] == target) {
            t->all[i] = t->all[--t->count];
            return;
        }
}

static void signal_all(const struct targets *t, int signal) {
    for (size_t i = 0; i < t->count; i++) kill(t->all[i], signal);
}

/// Ends everything that is watched, with half a second between asking and killing.
static void end_all(struct targets *t) {
    signal_all(t, SIGTERM);
    signal_all(t, SIGCONT);
    for (int round = 0; round < 50 && t->count > 0; round++) {
        nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        for (size_t i = t->count; i-- > 0;)
            if (kill(t->all[i], 0) != 0 && errno == ESRCH) forget(t, t->all[i]);
    }
    signal_all(t, SIGKILL);
}

static _Noreturn void guard(int input) {
    prctl(PR_SET_NAME, "ameexec-guard");
    // Out of reach of the terminal, of `kill -- -group`, and of the signals by which users end programs.
    setsid();
    sigset_t every;
    sigfillset(&every);
    sigprocmask(SIG_SETMASK, &every, NULL);
    // It holds nothing that others wait for: no pipe, no terminal, no directory.
    if (chdir("/") != 0) _exit(1);
    int null = open("/dev/null", O_RDWR);
    for (int standard = 0; standard <= 2; standard++) dup2(null, standard);
    dup2(input, 3);
    dlp_close_from(4, false);

    struct targets targets = {0};
    for (;;) {
        struct packet packet;
        ssize_t got = read(3, &packet, sizeof packet);
        if (got < 0 && errno == EINTR) continue;
        if (got != (ssize_t)sizeof packet) break;
        switch (packet.word) {
        case dlp_guardian_watch: watch(&targets, packet.target); break;
        case dlp_guardian_forget: forget(&targets, packet.target); break;
        case dlp_guardian_goodbye: _exit(0);
        }
    }
    end_all(&targets);
    _exit(0);
}

pid_t dlp_guardian_start(int *descriptor) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return -1;
    pid_t pid = fork();
    if (pid == 0) {
        // Its own copy of the writing end would keep the pipe open for ever.
        close(ends[1]);
        guard(ends[0]);
    }
    int failure = errno;
    close(ends[0]);
    if (pid < 0) close(ends[1]);
    *descriptor = pid < 0 ? -1 : ends[1];
    errno = failure;
    return pid;
}

// MARK: - Signals and the like

int dlp_launcher_signals(sigset_t *previous) {
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGUSR1};
    sigset_t read, blocked;
    sigemptyset(&read);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        // A blocked signal is queued although it is ignored, and `nohup` would be without effect.
        struct sigaction action;
        if (sigaction(signals[i], NULL, &action) == 0 && action.sa_handler == SIG_IGN) continue;
        sigaddset(&read, signals[i]);
    }
    // An ignored SIGCHLD, inherited from a careless parent, would make children vanish without a status.
    struct sigaction standard = {.sa_handler = SIG_DFL};
    sigaction(SIGCHLD, &standard, NULL);
    sigaddset(&read, SIGCHLD);
    blocked = read;
    // Writing into a closed pipe is to be an error, not to end the process.
    sigaddset(&blocked, SIGPIPE);
    if (sigprocmask(SIG_BLOCK, &blocked, previous) != 0) return -1;
    return signalfd(-1, &read, SFD_CLOEXEC | SFD_NONBLOCK);
}

void dlp_suspend(void) {
    // SIGSTOP would stop for ever where no shell watches; the default action of SIGTSTP leaves such a process alone.
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    raise(SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stop, NULL);
    sigprocmask(SIG_BLOCK, &stop, NULL);
}

int dlp_allowed_cpus(int *cpus, int capacity) {
    cpu_set_t set;
    int count = 0;
    if (sched_getaffinity(0, sizeof set, &set) != 0) return 0;
    for (int cpu = 0; cpu < CPU_SETSIZE && count < capacity; cpu++)
        if (CPU_ISSET(cpu, &set)) cpus[count++] = cpu;
    return count;
}

int dlp_adopt_orphans(void) { return prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); }

void dlp_sleep_precisely(void) { prctl(PR_SET_TIMERSLACK, 1000); }

int dlp_terminal_columns(int descriptor) {
    struct winsize size;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0) return 0;
    return size.ws_col > 1 ? size.ws_col : 80;
}

int dlp_wait_result(int status) { return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status); }

size_t dlp_length_of_whole_lines(const void *bytes, size_t count) {
    const char *last = count > 0 ? memrchr(bytes, '\n', count) : NULL;
    return last == NULL ? 0 : (size_t)(last - (const char *)bytes) + 1;
}
