#include "host.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

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
    int status;
    while (waitpid(program, &status, 0) < 0) {
        if (errno != EINTR) return luaL_execresult(L, -1);
    }
    errno = 0;
    return luaL_execresult(L, status);
}
