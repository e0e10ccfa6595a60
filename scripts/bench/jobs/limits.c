/* Measures moving bytes without any encoding: memcpy, and a Unix-domain socket between two processes. limits BYTES */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void transfer(int descriptor, char *bytes, size_t count, ssize_t (*step)(int, char *, size_t))
{
    while (count > 0) {
        ssize_t moved = step(descriptor, bytes, count);
        if (moved <= 0) exit(1);
        bytes += moved;
        count -= (size_t)moved;
    }
}

static ssize_t send_some(int descriptor, char *bytes, size_t count) { return write(descriptor, bytes, count); }
static ssize_t receive_some(int descriptor, char *bytes, size_t count) { return read(descriptor, bytes, count); }

int main(int argc, char **argv)
{
    int ends[2];
    size_t count = argc == 2 ? strtoull(argv[1], NULL, 10) : 0;
    char *from = malloc(count + 1), *to = malloc(count + 1);
    if (!count || !from || !to || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 2;
    // Both are touched first, so that no page fault happens while the clock runs.
    memset(from, 1, count);
    memset(to, 2, count);
    double begin = now();
    memcpy(to, from, count);
    double copied = now() - begin;

    pid_t child = fork();
    if (child < 0) return 1;
    if (child == 0) {
        transfer(ends[1], from, 1, receive_some);
        transfer(ends[1], from, count, send_some);
        _exit(0);
    }
    begin = now();
    transfer(ends[0], to, 1, send_some);
    transfer(ends[0], to, count, receive_some);
    printf("{\"memcpy\": %.9f, \"socket\": %.9f, \"check\": %d}\n", copied, now() - begin, to[count - 1]);
    waitpid(child, NULL, 0);
    return 0;
}
