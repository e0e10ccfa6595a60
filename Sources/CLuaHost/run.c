#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// What dlp.run, dlp.sleep and dlp.time are made of; their arguments are checked in programs.lua.
//
// While a program runs nothing here raises: an error would leave it, and descriptors, behind.

extern char **environ;

/// The descriptor, or another one of its file that is no standard one; none, with errno set, where it cannot be had.
static int above_standard(int descriptor) {
    if (descriptor == none || descriptor > STDERR_FILENO) return descriptor;
    int other = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(descriptor);
    return other;
}

static bool make_pipe(int *reader, int *writer) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return false;
    *reader = above_standard(ends[0]);
    *writer = above_standard(ends[1]);
    return *reader != none && *writer != none;
}

static int open_file(const char *path, int flags) { return above_standard(open(path, flags | O_CLOEXEC, 0666)); }

// MARK: - The beginning

/// The words of the program: those of the table at `index`.
static char **words(lua_State *L, int index) {
    luaL_checktype(L, index, LUA_TTABLE);
    size_t count = lua_rawlen(L, index);
    char **words = lua_newuserdatauv(L, (count + 2) * sizeof *words, 0);
    words[0] = NULL;
    for (size_t i = 1; i <= count; i++) {
        // The table keeps them.
        words[i] = lua_rawgeti(L, index, (lua_Integer)i) == LUA_TSTRING ? (char *)lua_tostring(L, -1) : (char *)"";
        lua_pop(L, 1);
    }
    words[count + 1] = NULL;
    return words;
}

/// The environment with the entries of the table at `index`, by name, in the place of those that it has; false is none.
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

/// Opens what becomes an output, by the name at `index` or the path after that; or says what it cannot open.
static const char *open_output(run *r, int number, int index) {
    const char *kind = lua_tostring(r->L, index), *path = lua_tostring(r->L, index + 1);
    int *its = &r->program.standard[number];
    if (path != NULL) {
        *its = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
        return *its == none ? path : NULL;
    }
    switch (kind != NULL ? *kind : 'c') {
    case 'i': *its = number; return NULL;
    case 's': *its = r->program.standard[STDOUT_FILENO]; return NULL;
    case 'd': *its = open_file("/dev/null", O_WRONLY); return *its == none ? "/dev/null" : NULL;
    default: return make_pipe(&r->outputs[number - 1].descriptor, its) ? NULL : "a pipe";
    }
}

static const char *open_input(run *r, const char *input, size_t count) {
    int *its = &r->program.standard[STDIN_FILENO];
    if (input == NULL) {
        *its = open_file("/dev/null", O_RDONLY);
        return *its == none ? "/dev/null" : NULL;
    }
    r->rest = input;
    r->rest_count = count;
    return make_pipe(its, &r->input) && fcntl(r->input, F_SETFL, O_NONBLOCK) == 0 ? NULL : "a pipe";
}

/// Closes what is the program's.
static void close_standard(run *r) {
    int *standard = r->program.standard;
    if (standard[STDERR_FILENO] == standard[STDOUT_FILENO]) standard[STDERR_FILENO] = none;
    for (int i = 0; i < 3; i++) close_descriptor(&standard[i]);
}

/// Closes what is open, and frees the memory.
static void finish(run *r) {
    for (int i = 0; i < 2; i++) {
        close_descriptor(&r->outputs[i].descriptor);
        dlp_resize_output(r, r->outputs[i].bytes, r->outputs[i].capacity, 0);
        r->outputs[i] = (output){.descriptor = none};
    }
    close_descriptor(&r->input);
    close_descriptor(&r->end);
    dlp_tree_clear(&r->tree);
}

/// Starts the program; or returns false, with errno set and what could not be done to what.
static bool start(run *r, const char **what, const char **object) {
    size_t input_count = 0;
    const char *input = lua_tolstring(r->L, 2, &input_count);
    *what = "cannot open";
    if ((*object = open_input(r, input, input_count)) != NULL) return false;
    *what = "cannot write to";
    if ((*object = open_output(r, STDOUT_FILENO, 5)) != NULL) return false;
    if ((*object = open_output(r, STDERR_FILENO, 7)) != NULL) return false;
    // Inherited of a careless parent: then nobody would get to know how the program ended.
    struct sigaction children;
    if (sigaction(SIGCHLD, NULL, &children) == 0 && children.sa_handler == SIG_IGN) signal(SIGCHLD, SIG_DFL);
    // What the script has written comes before what the program writes, or reads.
    fflush(NULL);
    *object = r->program.words[1];
    switch (dlp_program_start(&r->program, &r->process)) {
    case dlp_program_runs: return true;
    case dlp_program_has_no_process: *what = "cannot make a process for"; return false;
    case dlp_program_has_no_directory:
        *what = "cannot change to";
        *object = r->program.directory;
        return false;
    case dlp_program_has_no_file: *what = "cannot start"; return false;
    }
    return false;
}

/// Pushes nil and why the program does not run.
static int push_failure(lua_State *L, const char *what, const char *object, int error) {
    lua_pushnil(L);
    if (strcmp(what, "cannot start") == 0 && error == ENOENT && strchr(object, '/') == NULL) {
        lua_pushfstring(L, "there is no program %s in PATH", object);
    } else {
        lua_pushfstring(L, "%s %s: %s", what, object, strerror(error));
    }
    return 2;
}

// MARK: - The functions

/// What a program has left.
typedef struct {
    run *run;
    int status;
    uint64_t nanoseconds;
    struct rusage usage;
} outcome;

static double seconds_of(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec * 1e-6; }

/// Takes an outcome and returns what `run` does.
static int push_outcome(lua_State *L) {
    outcome *o = lua_touserdata(L, 1);
    bool is_killed = WIFSIGNALED(o->status);
    int signal = is_killed ? WTERMSIG(o->status) : 0;
    lua_pushinteger(L, is_killed ? 128 + signal : WEXITSTATUS(o->status));
    if (is_killed) lua_pushinteger(L, signal);
    else lua_pushnil(L);
    for (int i = 0; i < 2; i++) {
        output *out = &o->run->outputs[i];
        // One that was captured has a block, or nothing in it.
        if (lua_toboolean(L, 2 + i)) lua_pushlstring(L, out->bytes != NULL ? out->bytes : "", out->count);
        else lua_pushnil(L);
    }
    lua_pushnumber(L, (lua_Number)o->nanoseconds * 1e-9);
    lua_pushnumber(L, seconds_of(o->usage.ru_utime) + seconds_of(o->usage.ru_stime));
    lua_pushinteger(L, (lua_Integer)o->usage.ru_maxrss * 1024);
    lua_pushboolean(L, o->run->is_late);
    return 8;
}

/// Waits for the program, which has started, and serves it meanwhile; or returns false, with errno set.
static bool await(outcome *o) {
    run *r = o->run;
    dlp_note_program(r->L, r->process);
#ifdef SYS_pidfd_open
    r->end = above_standard((int)syscall(SYS_pidfd_open, r->process, 0));
#endif
    dlp_block_interruption(&r->mask);
    // A program need not read all that it is given.
    sigset_t pipe_signal;
    sigemptyset(&pipe_signal);
    sigaddset(&pipe_signal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
    dlp_attend(r);
    pthread_sigmask(SIG_SETMASK, &r->mask, NULL);
    host *h = host_of(r->L);
    dlp_forget_program(h, r->process);
    pid_t ended;
    do ended = wait4(r->process, &o->status, 0, &o->usage);
    while (ended < 0 && errno == EINTR);
    // Somebody else's code in this process has waited for it: nobody knows how it ended.
    if (ended < 0) return false;
    // One that heeds the signal ends in its own way; where it failed by itself instead, nothing is lost but time.
    bool was_asked = r->asked_at != 0;
    if (!was_asked && (dlp_was_meant_for_all(h, dlp_signal_of(o->status)) || (o->status != 0 && dlp_is_told())))
        dlp_cut_short(r->L);
    return true;
}

/// Lets an output have no more room than it needs, until it is a string.
static void shrink(run *r, output *o) {
    char *bytes = dlp_resize_output(r, o->bytes, o->capacity, o->count);
    if (bytes == NULL && o->count > 0) return;
    o->bytes = bytes;
    o->capacity = o->count;
}

/// `run(words, input, directory, environment, stdout, its_file, stderr, its_file, timeout)`: returns status, signal, what
/// was captured, seconds, processor seconds, peak memory, and whether it took too long; or nil and why it could not start.
static int run_function(lua_State *L) {
    lua_settop(L, 9);
    run r = {
        .L = L, .end = none, .input = none, .outputs = {{.descriptor = none}, {.descriptor = none}},
        .deadline = UINT64_MAX, .program = {.standard = {none, none, none}, .directory = lua_tostring(L, 3)},
    };
    r.program.words = words(L, 1);
    r.program.environment = changed_environment(L, 4);
    r.program.path = path_of(r.program.environment);
    double timeout = lua_tonumber(L, 9);
    uint64_t began = dlp_now();
    if (timeout > 0 && timeout < 1e9) r.deadline = began + (uint64_t)(timeout * 1e9);
    luaL_checkstack(L, 16, NULL);
    const char *what, *object;
    bool has_run = start(&r, &what, &object);
    int error = errno;
    close_standard(&r);
    outcome o = {.run = &r};
    if (has_run && !await(&o)) {
        has_run = false;
        error = errno;
        what = "cannot wait for";
    }
    if (!has_run) {
        finish(&r);
        return push_failure(L, what, object, error);
    }
    o.nanoseconds = r.ended_at - began;
    lua_pushcfunction(L, push_outcome);
    lua_pushlightuserdata(L, &o);
    for (int i = 0; i < 2; i++) {
        const char *kind = lua_tostring(L, 5 + 2 * i);
        lua_pushboolean(L, lua_isnil(L, 6 + 2 * i) && (kind == NULL || *kind == 'c'));
        shrink(&r, &r.outputs[i]);
    }
    bool is_full = r.is_full;
    int status = is_full ? LUA_ERRMEM : lua_pcall(L, 3, 8, 0);
    finish(&r);
    if (is_full) lua_pushliteral(L, "not enough memory");
    return status != LUA_OK ? lua_error(L) : 8;
}

/// `sleep(seconds)`: returns early where the script is to fail.
static int sleep_function(lua_State *L) {
    double seconds = luaL_checknumber(L, 1);
    host *h = host_of(L);
    uint64_t deadline = seconds < 1e9 ? dlp_now() + (uint64_t)(fmax(seconds, 0) * 1e9) : UINT64_MAX;
    sigset_t mask;
    dlp_block_interruption(&mask);
    for (uint64_t now; (now = dlp_now()) < deadline && !dlp_is_to_fail(h);)
        dlp_wait_for(NULL, 0, deadline == UINT64_MAX ? deadline : deadline - now, &mask);
    pthread_sigmask(SIG_SETMASK, &mask, NULL);
    return 0;
}

/// `time()`: seconds since 1970.
static int time_function(lua_State *L) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    lua_pushnumber(L, (lua_Number)time.tv_sec + (lua_Number)time.tv_nsec * 1e-9);
    return 1;
}

void dlp_set_program_functions(lua_State *L, bool may_run) {
    static const luaL_Reg functions[] = {
        {"time", time_function}, {"sleep", sleep_function}, {"run", run_function}, {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
    if (may_run) return;
    lua_pushnil(L);
    lua_setfield(L, -2, "run");
}
