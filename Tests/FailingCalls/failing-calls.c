// When it is preloaded into a process, this library makes one system call fail. So a test finds out what each call is
// needed for.
//
// FAILING_CALL       the number of the call, from 1
// FAILING_PROCESS    the rank in which calls are counted, or "launcher"
// FAILING_ERRNO      the error; by default one that suits the call
// FAILING_REPORT     the file into which the name of the call is written
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static long wanted;
static int chosen_errno;
static pid_t process;
static char report[4096];
static atomic_long count;

__attribute__((constructor)) static void begin(void) {
    const char *call = getenv("FAILING_CALL"), *who = getenv("FAILING_PROCESS"), *rank = getenv("AME_RANK");
    const char *error = getenv("FAILING_ERRNO"), *path = getenv("FAILING_REPORT");
    bool is_rank = strcmp(program_invocation_short_name, "dlp-lua") == 0 && rank != NULL;
    // `dlp-lua -np` is a launcher, too.
    bool is_launcher = !is_rank && (strcmp(program_invocation_short_name, "ameexec") == 0 ||
                                    strcmp(program_invocation_short_name, "dlp-lua") == 0);
    if (call == NULL || who == NULL || !(is_rank || is_launcher)) return;
    if (strcmp(who, is_rank ? rank : "launcher") != 0) return;
    wanted = atol(call);
    chosen_errno = error ? atoi(error) : 0;
    process = getpid();
    snprintf(report, sizeof report, "%s", path ? path : "/dev/null");
}

/// Whether this call must fail; then sets errno.
static bool fails(const char *name, int usual, bool can_be_interrupted) {
    // A forked child counts separately, and its calls do not fail.
    if (wanted == 0 || syscall(SYS_getpid) != process) return false;
    if (chosen_errno == EINTR && !can_be_interrupted) return false;
    if (atomic_fetch_add(&count, 1) + 1 != wanted) return false;
    errno = chosen_errno ? chosen_errno : usual;
    int saved = errno, file = (int)syscall(SYS_openat, AT_FDCWD, report, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    syscall(SYS_write, file, name, strlen(name));
    syscall(SYS_close, file);
    errno = saved;
    return true;
}

#define FAILING(result, name, usual, can_be_interrupted, parameters, arguments)                                      \
    result name parameters {                                                                                          \
        static result(*_Atomic original) parameters;                                                                  \
        if (original == NULL) original = (result(*) parameters)dlsym(RTLD_NEXT, #name);                               \
        return fails(#name, usual, can_be_interrupted) ? (result)-1 : original arguments;                             \
    }

FAILING(ssize_t, send, ENOBUFS, true, (int d, const void *b, size_t n, int f), (d, b, n, f))
FAILING(ssize_t, sendmsg, ENOBUFS, true, (int d, const struct msghdr *m, int f), (d, m, f))
FAILING(ssize_t, recv, ENOMEM, true, (int d, void *b, size_t n, int f), (d, b, n, f))
FAILING(ssize_t, recvmsg, ENOMEM, true, (int d, struct msghdr *m, int f), (d, m, f))
FAILING(ssize_t, read, EIO, true, (int d, void *b, size_t n), (d, b, n))
FAILING(ssize_t, write, EIO, true, (int d, const void *b, size_t n), (d, b, n))
FAILING(ssize_t, pread64, EIO, true, (int d, void *b, size_t n, off64_t o), (d, b, n, o))
FAILING(ssize_t, pwrite64, ENOSPC, true, (int d, const void *b, size_t n, off64_t o), (d, b, n, o))
FAILING(int, ftruncate64, EIO, true, (int d, off64_t n), (d, n))
FAILING(int, fsync, EIO, false, (int d), (d))
FAILING(int, fdatasync, EIO, false, (int d), (d))
FAILING(int, poll, ENOMEM, true, (struct pollfd *p, nfds_t n, int t), (p, n, t))
FAILING(int, ppoll, ENOMEM, true, (struct pollfd *p, nfds_t n, const struct timespec *t, const sigset_t *m), (p, n, t, m))
FAILING(int, epoll_wait, ENOMEM, true, (int e, struct epoll_event *v, int n, int t), (e, v, n, t))
FAILING(int, epoll_ctl, ENOSPC, false, (int e, int o, int d, struct epoll_event *v), (e, o, d, v))
FAILING(int, epoll_create1, EMFILE, false, (int f), (f))
FAILING(int, eventfd, EMFILE, false, (unsigned v, int f), (v, f))
FAILING(int, pipe, EMFILE, false, (int e[2]), (e))
FAILING(int, pipe2, EMFILE, false, (int e[2], int f), (e, f))
FAILING(int, socket, ENOBUFS, false, (int a, int t, int p), (a, t, p))
FAILING(int, socketpair, ENFILE, false, (int a, int t, int p, int e[2]), (a, t, p, e))
FAILING(int, bind, ENOMEM, false, (int d, const struct sockaddr *a, socklen_t n), (d, a, n))
FAILING(int, listen, ENOMEM, false, (int d, int n), (d, n))
FAILING(int, connect, ENOBUFS, false, (int d, const struct sockaddr *a, socklen_t n), (d, a, n))
FAILING(int, accept4, ENFILE, true, (int d, struct sockaddr *a, socklen_t *n, int f), (d, a, n, f))

int pthread_create(pthread_t *t, const pthread_attr_t *a, void *(*f)(void *), void *x) {
    static int (*original)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (original == NULL) original = (typeof(original))dlsym(RTLD_NEXT, "pthread_create");
    return fails("pthread_create", EAGAIN, false) ? EAGAIN : original(t, a, f, x);
}
