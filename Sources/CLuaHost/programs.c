#include "host.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

/// Whether a signal has ended the program that was meant for this process as well.
static bool was_meant_for_all(const host *h, int status) {
    // A shell that outlives its command says so in its own status.
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) - 128;
    if (signal != SIGINT && signal != SIGTERM) return false;
    // Terminals signal all at once, batch systems one after another.
    for (int i = 0; i < 10 && !dlp_is_told() && !h->is_late && !atomic_load(&h->is_over); i++) usleep(10000);
    return dlp_is_told();
}

pid_t dlp_awaited_program(lua_State *L) { return atomic_load(&host_of(L)->program); }

// C's system ignores SIGINT while it waits, as suits a shell's interactive programs: Ctrl-C would end the program and be
// lost on a rank that waits for it.
int dlp_execute(lua_State *L) {
    const char *command = luaL_optstring(L, 1, NULL);
    if (command == NULL) {
        lua_pushboolean(L, system(NULL));
        return 1;
    }
    char *arguments[] = {"sh", "-c", (char *)command, NULL};
    pid_t program;
    errno = posix_spawn(&program, "/bin/sh", NULL, NULL, arguments, environ);
    if (errno != 0) return luaL_execresult(L, -1);
    // Others may signal the program: its number must not go to another process before they forget it.
    atomic_store(&host_of(L)->program, program);
    siginfo_t end;
    while (waitid(P_PID, program, &end, WEXITED | WNOWAIT) != 0 && errno == EINTR) {}
    atomic_store(&host_of(L)->program, 0);
    int status;
    while (waitpid(program, &status, 0) < 0) {
        if (errno != EINTR) return luaL_execresult(L, -1);
    }
    if (was_meant_for_all(host_of(L), status)) dlp_cut_short(L);
    errno = 0;
    return luaL_execresult(L, status);
}
