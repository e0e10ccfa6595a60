#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

// How the programs of dlp.run and dlp.coprocess are started, and the cleanup after they have ended.

extern char **environ;

// MARK: - Descriptors

int dlp_above_standard(int descriptor) {
    if (descriptor == none || descriptor > STDERR_FILENO) return descriptor;
    int other = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(descriptor);
    return other;
}

bool dlp_make_pipe(int *reader, int *writer) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    *reader = dlp_above_standard(ends[0]);
    *writer = dlp_above_standard(ends[1]);
    return *reader != none && *writer != none;
}

void dlp_close_standard(run *r) {
    int *standard = r->program.standard;
    if (standard[STDERR_FILENO] == standard[STDOUT_FILENO]) standard[STDERR_FILENO] = none;
    for (int i = 0; i < 3; i++) close_descriptor(&standard[i]);
}

void dlp_finish_run(run *r) {
    for (int i = 0; i < 2; i++) {
        close_descriptor(&r->outputs[i].descriptor);
        dlp_resize_output(r, r->outputs[i].bytes, r->outputs[i].capacity, 0);
        r->outputs[i] = (output){.descriptor = none};
    }
    close_descriptor(&r->input);
    close_descriptor(&r->end);
    dlp_tree_clear(&r->tree);
}

// MARK: - Words and environment

/// Returns the words of the program, from the table at `index`.
static char **words(lua_State *L, int index) {
    luaL_checktype(L, index, LUA_TTABLE);
    size_t count = lua_rawlen(L, index);
    char **words = lua_newuserdatauv(L, (count + 2) * sizeof *words, 0);
    words[0] = NULL;
    for (size_t i = 1; i <= count; i++) {
        // The pointers stay valid, because the table keeps the strings.
        words[i] = lua_rawgeti(L, index, (lua_Integer)i) == LUA_TSTRING ? (char *)lua_tostring(L, -1) : (char *)"";
        lua_pop(L, 1);
    }
    words[count + 1] = NULL;
    return words;
}

/// Returns the environment with the entries of the table at `index`, by name, added or replaced; false removes an entry.
static char **changed_environment(lua_State *L, int index) {
    if (lua_isnil(L, index)) return environ;
    size_t present = 0, added = 0, count = 0;
    while (environ[present] != NULL) present++;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) added++;
    char **entries = lua_newuserdatauv(L, (present + added + 1) * sizeof *entries, 0);
    for (size_t i = 0; i < present; i++) {
        lua_pushlstring(L, environ[i], strcspn(environ[i], "="));
        if (lua_rawget(L, index) == LUA_TNIL) entries[count++] = environ[i];
        lua_pop(L, 1);
    }
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1))
        if (lua_type(L, -1) == LUA_TSTRING) entries[count++] = (char *)lua_tostring(L, -1);
    entries[count] = NULL;
    return entries;
}

static const char *path_of(char *const *environment) {
    for (; *environment != NULL; environment++)
        if (strncmp(*environment, "PATH=", 5) == 0) return *environment + 5;
    return "/bin:/usr/bin";
}

struct dlp_program dlp_describe_program(lua_State *L, int its_words, int directory, int environment) {
    // The program must not survive if this process has no time to end it.
    struct dlp_program program = {
        .standard = {none, none, none}, .directory = lua_tostring(L, directory), .end_signal = SIGKILL,
    };
    program.words = words(L, its_words);
    program.environment = changed_environment(L, environment);
    program.path = path_of(program.environment);
    return program;
}

// MARK: - The start

bool dlp_start_run(run *r, const char **what, const char **object) {
    // A careless parent may have set SIGCHLD to be ignored. Then it could not be found out how the program ended.
    struct sigaction children;
    if (sigaction(SIGCHLD, NULL, &children) == 0 && children.sa_handler == SIG_IGN) signal(SIGCHLD, SIG_DFL);
    // The script's earlier output must come before the program's output, or before the program reads it.
    fflush(NULL);
    *object = r->program.words[1];
    switch (dlp_program_start(&r->program, &r->process)) {
    case dlp_program_runs:
#ifdef SYS_pidfd_open
        r->end = dlp_above_standard((int)syscall(SYS_pidfd_open, r->process, 0));
#endif
        return true;
    case dlp_program_has_no_process: *what = "cannot make a process for"; return false;
    case dlp_program_has_no_directory:
        *what = "cannot change to";
        *object = r->program.directory;
        return false;
    case dlp_program_has_no_file: *what = "cannot start"; return false;
    }
    return false;
}

int dlp_push_failure(lua_State *L, const char *what, const char *object, int error) {
    lua_pushnil(L);
    if (strcmp(what, "cannot start") == 0 && error == ENOENT && strchr(object, '/') == NULL) {
        lua_pushfstring(L, "there is no program %s in PATH", object);
    } else {
        lua_pushfstring(L, "%s %s: %s", what, object, strerror(error));
    }
    return 2;
}
