#define _GNU_SOURCE
#include "track.h"

#include <CSystem.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

// os.execute and io.popen. C's system and popen cannot be used, because they do not tell which program an example waits for.
// Besides, system ignores SIGINT meanwhile, as it should for a shell's interactive programs, so Ctrl-C would be lost on its
// rank.

extern char **environ;

void dlp_note_program(lua_State *L, pid_t program) {
    host *h = host_of(L);
    dlp_track_anything_done(h);
    for (int i = 0; i < program_slots; i++) {
        if (atomic_load(&h->programs[i].process) != 0) continue;
        atomic_store(&h->programs[i].example, dlp_example_under_way(L).number);
        atomic_store(&h->programs[i].process, program);
        return;
    }
}

uint64_t dlp_forget_program(host *h, pid_t program) {
    uint64_t example = 0;
    for (int i = 0; i < program_slots; i++) {
        if (atomic_load(&h->programs[i].process) != program) continue;
        example = atomic_load(&h->programs[i].example);
        atomic_store(&h->programs[i].process, 0);
    }
    return example;
}

/// Starts a shell with `command`. If `end` is not negative, it becomes the shell's descriptor `standard`. Returns 0 or an
/// error number.
static int start(lua_State *L, const char *command, int end, int standard, pid_t *program) {
    char *arguments[] = {"sh", "-c", (char *)command, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (end >= 0) posix_spawn_file_actions_adddup2(&actions, end, standard);
    int error = posix_spawn(program, "/bin/sh", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error == 0) dlp_note_program(L, *program);
    return error;
}

/// Waits for a program to end. Returns 0 with its status, or -1 with errno. `*example` becomes the number of the example that
/// started it; 0 if there was none, or if too many programs run.
static int finish(host *h, pid_t program, int *status, uint64_t *example) {
    siginfo_t end;
    while (waitid(P_PID, program, &end, WEXITED | WNOWAIT) != 0 && errno == EINTR) {}
    // Another thread may signal the program. Its process number must not be reused before the program is removed from the
    // list.
    *example = dlp_forget_program(h, program);
    pid_t ended;
    struct rusage usage;
    do ended = wait4(program, status, 0, &usage);
    while (ended < 0 && errno == EINTR);
    if (ended < 0) return -1;
    dlp_note_program_memory((int64_t)usage.ru_maxrss * 1024);
    return 0;
}

int dlp_programs_of(lua_State *L, uint64_t example, pid_t programs[program_slots]) {
    host *h = host_of(L);
    int count = 0;
    for (int i = 0; i < program_slots; i++) {
        pid_t process = atomic_load(&h->programs[i].process);
        if (process != 0 && atomic_load(&h->programs[i].example) == example) programs[count++] = process;
    }
    return count;
}

bool dlp_was_meant_for_all(const host *h, int signal) {
    if (signal != SIGINT && signal != SIGTERM) return false;
    // Terminals signal all processes at once; batch systems signal them one after another.
    for (int i = 0; i < 10 && !dlp_is_told() && !h->is_late && !atomic_load(&h->is_over); i++) usleep(10000);
    return dlp_is_told();
}

int dlp_signal_of(int status) { return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) - 128; }

/// Whether such a signal has ended a program that has not been waited for yet.
static bool was_ended_for_all(const host *h, pid_t program) {
    siginfo_t end = {0};
    for (int i = 0; i < 10; i++) {
        if (waitid(P_PID, program, &end, WEXITED | WNOWAIT | WNOHANG) != 0) return false;
        // Its output ends a moment before the program itself.
        if (end.si_pid != 0 || !dlp_is_told()) break;
        usleep(10000);
    }
    return end.si_pid != 0
        && dlp_was_meant_for_all(h, end.si_code == CLD_EXITED ? end.si_status - 128 : end.si_status);
}

bool dlp_is_cut_short(lua_State *L) {
    host *h = host_of(L);
    pid_t programs[program_slots];
    int count = dlp_programs_of(L, atomic_load(&h->example_count) - 1, programs);
    for (int i = 0; i < count && !h->is_cut_short; i++) h->is_cut_short = was_ended_for_all(h, programs[i]);
    return h->is_cut_short;
}

int dlp_execute(lua_State *L) {
    const char *command = luaL_optstring(L, 1, NULL);
    if (command == NULL) {
        lua_pushboolean(L, system(NULL));
        return 1;
    }
    pid_t program;
    int status;
    uint64_t example;
    errno = start(L, command, -1, -1, &program);
    if (errno != 0 || finish(host_of(L), program, &status, &example) != 0) return luaL_execresult(L, -1);
    if (dlp_was_meant_for_all(host_of(L), dlp_signal_of(status))) dlp_cut_short(L);
    errno = 0;
    return luaL_execresult(L, status);
}

// MARK: - io.popen

/// A Lua file with a program at its other end.
typedef struct {
    luaL_Stream file;
    pid_t program;
} program_file;

/// Closes the file, and waits for its program.
static int close_program(lua_State *L) {
    program_file *p = luaL_checkudata(L, 1, LUA_FILEHANDLE);
    int status;
    uint64_t example;
    fclose(p->file.f);
    if (finish(host_of(L), p->program, &status, &example) != 0) return luaL_execresult(L, -1);
    // The garbage collector may close the file much later, in another example.
    bool is_of_this_example = example != 0 && dlp_example_under_way(L).number == example;
    if (is_of_this_example && dlp_was_meant_for_all(host_of(L), dlp_signal_of(status))) dlp_cut_short(L);
    errno = 0;
    return luaL_execresult(L, status);
}

int dlp_popen(lua_State *L) {
    const char *command = luaL_checkstring(L, 1);
    const char *mode = luaL_optstring(L, 2, "r");
    bool reads = strcmp(mode, "r") == 0;
    luaL_argcheck(L, reads || strcmp(mode, "w") == 0, 2, "invalid mode");
    program_file *p = lua_newuserdatauv(L, sizeof *p, 0);
    p->file.closef = NULL;
    luaL_setmetatable(L, LUA_FILEHANDLE);
    // The script's earlier output must come before the program's.
    fflush(NULL);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return luaL_fileresult(L, 0, command);
    int ours = ends[reads ? 0 : 1], its = ends[reads ? 1 : 0];
    p->file.f = fdopen(ours, mode);
    int error = p->file.f == NULL ? errno : start(L, command, its, reads ? STDOUT_FILENO : STDIN_FILENO, &p->program);
    close(its);
    if (error != 0) {
        if (p->file.f == NULL) close(ours);
        else fclose(p->file.f);
        errno = error;
        return luaL_fileresult(L, 0, command);
    }
    p->file.closef = close_program;
    return 1;
}
