#define _GNU_SOURCE
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// The C part of dlp.run, dlp.sleep and dlp.time; their arguments are checked in programs.lua.
//
// While a program runs, nothing here raises an error, as that would leave behind the program and descriptors.

static int open_file(const char *path, int flags) { return dlp_above_standard(open(path, flags | O_CLOEXEC, 0666)); }

// MARK: - The beginning

/// Opens an output, by the kind at `index` or the path after it; returns NULL, or what it cannot open.
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
    default: return dlp_make_pipe(&r->outputs[number - 1].descriptor, its) ? NULL : "a pipe";
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
    return dlp_make_pipe(its, &r->input) && fcntl(r->input, F_SETFL, O_NONBLOCK) == 0 ? NULL : "a pipe";
}

/// Starts the program. If that fails, returns false, with errno set, and the action and the object that failed.
static bool start(run *r, const char **what, const char **object) {
    size_t input_count = 0;
    const char *input = lua_tolstring(r->L, 2, &input_count);
    *what = "cannot open";
    if ((*object = open_input(r, input, input_count)) != NULL) return false;
    *what = "cannot write to";
    if ((*object = open_output(r, STDOUT_FILENO, 5)) != NULL) return false;
    if ((*object = open_output(r, STDERR_FILENO, 7)) != NULL) return false;
    return dlp_start_run(r, what, object);
}

// MARK: - The functions

/// The outcome of a program.
typedef struct {
    run *run;
    int status;
    uint64_t nanoseconds;
    struct rusage usage;
} outcome;

static double seconds_of(struct timeval time) { return (double)time.tv_sec + (double)time.tv_usec * 1e-6; }

/// Takes an outcome and returns the results of `run`.
static int push_outcome(lua_State *L) {
    outcome *o = lua_touserdata(L, 1);
    bool is_killed = WIFSIGNALED(o->status);
    int signal = is_killed ? WTERMSIG(o->status) : 0;
    lua_pushinteger(L, is_killed ? 128 + signal : WEXITSTATUS(o->status));
    if (is_killed) lua_pushinteger(L, signal);
    else lua_pushnil(L);
    for (int i = 0; i < 2; i++) {
        output *out = &o->run->outputs[i];
        // A captured output has a block, or is empty.
        if (lua_toboolean(L, 2 + i)) lua_pushlstring(L, out->bytes != NULL ? out->bytes : "", out->count);
        else lua_pushnil(L);
    }
    lua_pushnumber(L, (lua_Number)o->nanoseconds * 1e-9);
    lua_pushnumber(L, seconds_of(o->usage.ru_utime) + seconds_of(o->usage.ru_stime));
    lua_pushinteger(L, (lua_Integer)o->usage.ru_maxrss * 1024);
    lua_pushboolean(L, o->run->is_late);
    return 8;
}

/// Waits for the program, which has started, and serves it meanwhile. Returns false, with errno set, if that fails.
static bool await(outcome *o) {
    dlp_serve(o->run);
    if (!dlp_reap(o->run, &o->status, &o->usage)) return false;
    dlp_note_program_memory((int64_t)o->usage.ru_maxrss * 1024);
    dlp_judge_end(o->run, o->status);
    return true;
}

/// `run(words, input, directory, environment, stdout, its_file, stderr, its_file, timeout)`: returns the status, the
/// signal, the captured outputs, seconds, processor seconds, peak memory, and whether it took too long; or nil and why it
/// could not start.
static int run_function(lua_State *L) {
    lua_settop(L, 9);
    run r = {
        .L = L, .end = none, .input = none, .outputs = {{.descriptor = none}, {.descriptor = none}},
        .deadline = UINT64_MAX, .program = dlp_describe_program(L, 1, 3, 4),
    };
    double timeout = lua_tonumber(L, 9);
    uint64_t began = dlp_now();
    if (timeout > 0 && timeout < 1e9) r.deadline = began + (uint64_t)(timeout * 1e9);
    luaL_checkstack(L, 16, NULL);
    const char *what, *object;
    bool has_run = start(&r, &what, &object);
    int error = errno;
    dlp_close_standard(&r);
    outcome o = {.run = &r};
    if (has_run && !await(&o)) {
        has_run = false;
        error = errno;
        what = "cannot wait for";
    }
    if (!has_run) {
        dlp_finish_run(&r);
        return dlp_push_failure(L, what, object, error);
    }
    o.nanoseconds = r.ended_at - began;
    lua_pushcfunction(L, push_outcome);
    lua_pushlightuserdata(L, &o);
    for (int i = 0; i < 2; i++) {
        const char *kind = lua_tostring(L, 5 + 2 * i);
        lua_pushboolean(L, lua_isnil(L, 6 + 2 * i) && (kind == NULL || *kind == 'c'));
        dlp_shrink_output(&r, &r.outputs[i]);
    }
    bool is_full = r.is_full;
    int status = is_full ? LUA_ERRMEM : lua_pcall(L, 3, 8, 0);
    dlp_finish_run(&r);
    if (is_full) lua_pushliteral(L, "not enough memory");
    return status != LUA_OK ? lua_error(L) : 8;
}

/// `sleep(seconds)`: returns early if the script is to fail.
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

/// `time()`: returns the seconds since 1970.
static int time_function(lua_State *L) {
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    lua_pushnumber(L, (lua_Number)time.tv_sec + (lua_Number)time.tv_nsec * 1e-9);
    return 1;
}

void dlp_set_program_functions(lua_State *L, bool may_run) {
    static const luaL_Reg functions[] = {
        {"time", time_function}, {"sleep", sleep_function}, {NULL, NULL},
    };
    static const luaL_Reg running[] = {{"run", run_function}, {"open_coprocess", dlp_open_coprocess}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    if (may_run) luaL_setfuncs(L, running, 0);
}
