#define _GNU_SOURCE
#include "CSystemPrograms.h"
#include "vfork.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/// Becomes the program in this file; returns only on failure, with errno set.
IN_CHILD static void execute(const struct dlp_program *p, const char *file) {
    execve(file, p->words + 1, p->environment);
    if (errno != ENOEXEC) return;
    // A script whose first line names no interpreter is run by the shell, as by execvp.
    p->words[0] = "sh";
    p->words[1] = (char *)file;
    execve("/bin/sh", p->words, p->environment);
}

/// Looks for the program as execvp does, but in the PATH that the program is to have.
IN_CHILD static void find_and_execute(const struct dlp_program *p) {
    const char *name = p->words[1];
    if (strchr(name, '/') != NULL) return execute(p, name);
    size_t name_size = strlen(name) + 1;
    bool is_denied = false;
    char file[PATH_MAX];
    for (const char *place = p->path, *end;; place = end + 1) {
        end = strchrnul(place, ':');
        size_t length = (size_t)(end - place);
        if (name_size > 1 && length + 1 + name_size <= sizeof file) {
            memcpy(file, place, length);
            if (length > 0) file[length++] = '/';
            memcpy(file + length, name, name_size);
            execute(p, file);
            if (errno == EACCES) {
                is_denied = true;
            } else if (errno != ENOENT && errno != ENOTDIR && errno != ESTALE && errno != ENODEV && errno != ETIMEDOUT) {
                return;
            }
        }
        if (*end == 0) break;
    }
    errno = is_denied ? EACCES : ENOENT;
}

/// What the new process does before exec; returns only on failure, with errno set.
IN_CHILD static enum dlp_program_step become(const struct dlp_program *p, pid_t parent) {
    if (p->end_signal != 0 && prctl(PR_SET_PDEATHSIG, p->end_signal) != 0) return dlp_program_has_no_process;
    // A parent that ended before that sends nothing.
    if (p->end_signal != 0 && getppid() != parent) _exit(127);
    // A handler would run in the parent's memory. Ignored signals stay ignored: the process that started us wants it
    // so.
    for (int signal = 1; signal < NSIG; signal++) {
        struct sigaction present, standard = {.sa_handler = SIG_DFL};
        if (sigaction(signal, NULL, &present) == 0 && present.sa_handler != SIG_IGN && present.sa_handler != SIG_DFL)
            sigaction(signal, &standard, NULL);
    }
    for (int i = 0; i < 3; i++)
        if (dlp_place(p->standard[i], i) < 0) return dlp_program_has_no_process;
    // This includes what a script has opened.
    dlp_close_from(3, true);
    if (p->directory != NULL && chdir(p->directory) != 0) return dlp_program_has_no_directory;
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    find_and_execute(p);
    return dlp_program_has_no_file;
}

enum dlp_program_step dlp_program_start(const struct dlp_program *program, pid_t *process) {
    // The new process shares this memory, and this thread sleeps, until exec has succeeded or the new process has ended:
    // a start costs no copy of page tables, however large the Lua state is.
    volatile enum dlp_program_step step = dlp_program_runs;
    volatile int failure = 0;
    sigset_t every, previous;
    sigfillset(&every);
    pthread_sigmask(SIG_SETMASK, &every, &previous);
    pid_t parent = getpid(), pid = vfork();
    if (pid == 0) {
        step = become(program, parent);
        failure = errno;
        _exit(127);
    }
    if (pid < 0) {
        step = dlp_program_has_no_process;
        failure = errno;
    } else if (step != dlp_program_runs) {
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
    }
    pthread_sigmask(SIG_SETMASK, &previous, NULL);
    *process = pid;
    errno = failure;
    return step;
}
