/* Measures starting programs alone: vfork, exec and wait, and nothing else. starts PROCESSES COUNT PIPES PROGRAM
   Each process starts its share of COUNT programs, one after the other. With PIPES 1, both outputs of a program are piped and
   read to their ends, as dlp.run does. With PIPES 0, the program inherits the outputs of this process. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/* Reads both pipes to their ends. */
static void drain(int ends[2])
{
    struct pollfd polled[2] = {{ends[0], POLLIN, 0}, {ends[1], POLLIN, 0}};
    char bytes[4096];
    for (int open = 2; open > 0;) {
        if (poll(polled, 2, -1) < 0) exit(1);
        for (int i = 0; i < 2; i++) {
            if (polled[i].revents == 0 || read(polled[i].fd, bytes, sizeof bytes) > 0) continue;
            close(polled[i].fd);
            polled[i].fd = -1;
            open--;
        }
    }
}

static void start(int is_piped, char **words)
{
    int status, pipes[2][2], ours[2];
    for (int i = 0; i < 2 && is_piped; i++)
        if (pipe2(pipes[i], O_CLOEXEC) != 0) exit(1);
    pid_t child = vfork();
    if (child < 0) exit(1);
    if (child == 0) {
        for (int i = 0; i < 2 && is_piped; i++) dup2(pipes[i][1], i + 1);
        execve(words[0], words, environ);
        _exit(127);
    }
    for (int i = 0; i < 2 && is_piped; i++) {
        close(pipes[i][1]);
        ours[i] = pipes[i][0];
    }
    if (is_piped) drain(ours);
    if (waitpid(child, &status, 0) != child || status != 0) exit(1);
}

int main(int argc, char **argv)
{
    if (argc < 5) return 2;
    int processes = atoi(argv[1]), count = atoi(argv[2]), is_piped = atoi(argv[3]), status, result = 0;
    for (int process = 0; process < processes; process++) {
        if (fork() != 0) continue;
        for (int i = process; i < count; i += processes) start(is_piped, argv + 4);
        return 0;
    }
    while (wait(&status) > 0) result |= status;
    return result != 0;
}
