#define _GNU_SOURCE
#include "inputs.h"
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>

// The C part of dlp.coprocess: a program that answers each line that it is given with one line. The meaning of the lines and
// the valid arguments are defined in coprocess.lua.

static const char type_name[] = "coprocess";

enum {
    millisecond = 1000000,
    /// How long a program may take to end after its input was closed.
    closing_grace = 2000 * millisecond,
    /// The room for answers that is kept from one call to the next, in bytes.
    kept_room = 1 << 16,
};

typedef struct {
    /// Its process is 0 while no program runs.
    run run;
    /// Whether it is being served. A finalizer of the script, which may run at any time, must not use it then.
    bool is_busy;
    /// The part of its processor time that has been added to that of this rank.
    uint64_t counted;
    /// When its memory was read last, how much it held then, and its peak until then.
    uint64_t read_at;
    int64_t held, peak;
} coprocess;

static void clear(coprocess *c) {
    if (c->run.L != NULL) dlp_finish_run(&c->run);
    c->run = (run){.end = none, .input = none, .outputs = {{.descriptor = none}, {.descriptor = none}}};
}

static void serve(coprocess *c, lua_State *L) {
    c->run.L = L;
    c->is_busy = true;
    dlp_serve(&c->run);
    c->is_busy = false;
}

/// Adds the processor time that the program has used since the last call.
static void count_time(coprocess *c) {
    uint64_t taken = dlp_processor_time_of(c->run.process);
    if (taken <= c->counted) return;
    dlp_add_processor_time((int64_t)(taken - c->counted));
    c->counted = taken;
}

/// Adds the memory that the program holds when it answers, or its peak if that has risen. The peak is not reset, because the
/// program may use it itself. Reading takes several microseconds; so for short calls the value of the last reading is used.
static void count_memory(coprocess *c) {
    uint64_t now = dlp_now();
    int64_t counted = c->held;
    if (now - c->read_at >= millisecond) {
        struct dlp_memory memory;
        if (!dlp_read_memory(c->run.process, &memory)) return;
        c->read_at = now;
        c->held = memory.present;
        counted = memory.peak > c->peak ? memory.peak : memory.present;
        c->peak = memory.peak;
    }
    dlp_note_program_memory(counted);
}

/// Takes the status of the program, which has ended. From now on the system counts all of its processor time as this rank's.
static bool reap(coprocess *c, int *status, struct rusage *usage) {
    dlp_add_processor_time(-(int64_t)c->counted);
    c->counted = 0;
    return dlp_reap(&c->run, status, usage);
}

/// Lets the program end, or ends it.
static void end(coprocess *c, lua_State *L) {
    run *r = &c->run;
    if (r->process == 0) return;
    r->answers = false;
    r->answer = 0;
    close_descriptor(&r->input);
    close_descriptor(&r->outputs[0].descriptor);
    r->deadline = dlp_now() + closing_grace;
    serve(c, L);
    int status;
    struct rusage usage;
    reap(c, &status, &usage);
    clear(c);
}

// MARK: - The beginning

static bool open_pipes(run *r) {
    int *standard = r->program.standard;
    standard[STDERR_FILENO] = STDERR_FILENO;
    return dlp_make_pipe(&standard[STDIN_FILENO], &r->input) && fcntl(r->input, F_SETFL, O_NONBLOCK) == 0
        && dlp_make_pipe(&r->outputs[0].descriptor, &standard[STDOUT_FILENO]);
}

/// Starts the program with the words, the directory and the environment at `words` and above. If that fails, returns false,
/// with nil and the reason on the stack.
static bool begin(coprocess *c, lua_State *L, int words) {
    run *r = &c->run;
    struct dlp_program program = dlp_describe_program(L, words, words + 1, words + 2);
    clear(c);
    c->read_at = 0;
    c->peak = 0;
    r->L = L;
    r->answers = true;
    r->program = program;
    const char *what = "cannot open", *object = "a pipe";
    bool has_begun = open_pipes(r) && dlp_start_run(r, &what, &object);
    int error = errno;
    dlp_close_standard(r);
    if (has_begun) return true;
    clear(c);
    dlp_push_failure(L, what, object, error);
    return false;
}

/// The state of a program that has nothing to answer.
typedef enum { waits, has_gone, talks } conduct;

static conduct conduct_of(run *r) {
    if (r->end == none) dlp_note_end(r);
    struct pollfd polled[] = {{.fd = r->outputs[0].descriptor, .events = POLLIN}, {.fd = r->end, .events = POLLIN}};
    if (poll(polled, 2, 0) <= 0) return r->has_ended ? has_gone : waits;
    if (polled[1].revents != 0 || r->has_ended) return has_gone;
    return polled[0].revents & POLLIN ? talks : has_gone;
}

// MARK: - The functions

static int push_answer(lua_State *L) {
    run *r = lua_touserdata(L, 1);
    lua_pushlstring(L, r->outputs[0].bytes, r->answer - 1);
    return 1;
}

/// Returns the answer that was received.
static int take_answer(coprocess *c, lua_State *L) {
    run *r = &c->run;
    output *out = &r->outputs[0];
    if (r->rest_count > 0 || out->count > r->answer) {
        bool is_early = r->rest_count > 0;
        end(c, L);
        lua_pushnil(L);
        if (is_early) lua_pushliteral(L, "answered before it had read its whole line");
        else lua_pushliteral(L, "wrote more than the one line that is the answer");
        return 2;
    }
    if (out->capacity > kept_room) dlp_shrink_output(r, out);
    lua_pushcfunction(L, push_answer);
    lua_pushlightuserdata(L, r);
    int status = lua_pcall(L, 1, 1, 0);
    r->answer = out->count = 0;
    if (out->capacity > kept_room) {
        dlp_resize_output(r, out->bytes, out->capacity, 0);
        *out = (output){.descriptor = out->descriptor};
    }
    // The thread that watches the time may be about to end the programs of this example. It must not hit those of the next
    // one.
    if (dlp_is_expired(host_of(L))) end(c, L);
    return status != LUA_OK ? lua_error(L) : 1;
}

/// Returns how a program that should have answered has ended: false, its status, and its signal or nil; then "late" if its
/// time was up, or "silent".
static int take_end(coprocess *c, lua_State *L) {
    run *r = &c->run;
    int status = 0;
    struct rusage usage;
    if (reap(c, &status, &usage)) {
        dlp_note_program_memory((int64_t)usage.ru_maxrss * 1024);
        dlp_judge_end(r, status);
    }
    bool is_full = r->is_full, is_late = r->is_late, is_silent = r->is_silent && r->asked_at != 0;
    clear(c);
    if (is_full) {
        lua_pushliteral(L, "not enough memory");
        return lua_error(L);
    }
    lua_pushboolean(L, false);
    if (WIFSIGNALED(status)) {
        lua_pushnil(L);
        lua_pushinteger(L, WTERMSIG(status));
    } else {
        lua_pushinteger(L, WEXITSTATUS(status));
        lua_pushnil(L);
    }
    if (is_late) lua_pushliteral(L, "late");
    else if (is_silent) lua_pushliteral(L, "silent");
    else lua_pushnil(L);
    return 4;
}

static coprocess *check(lua_State *L) { return luaL_checkudata(L, 1, type_name); }

/// `ask(coprocess, line, timeout, words, directory, environment)`: returns the answer; or nil and the reason why there is
/// none; or the results of `take_end`.
static int ask(lua_State *L) {
    lua_settop(L, 6);
    coprocess *c = check(L);
    run *r = &c->run;
    size_t count;
    const char *line = luaL_checklstring(L, 2, &count);
    luaL_checkstack(L, 16, NULL);
    if (c->is_busy) return luaL_error(L, "it waits for the answer to another call");
    switch (r->process != 0 ? conduct_of(r) : waits) {
    case waits: break;
    case has_gone: end(c, L); break;
    case talks:
        end(c, L);
        lua_pushnil(L);
        lua_pushliteral(L, "wrote more than the one line that was the answer before");
        return 2;
    }
    if (r->process == 0 && !begin(c, L, 4)) return 2;
    double timeout = lua_tonumber(L, 3);
    r->deadline = timeout > 0 && timeout < 1e9 ? dlp_now() + (uint64_t)(timeout * 1e9) : UINT64_MAX;
    r->rest = line;
    r->rest_count = count;
    serve(c, L);
    if (r->answer == 0 || r->asked_at != 0) return take_end(c, L);
    count_time(c);
    count_memory(c);
    return take_answer(c, L);
}

/// `close(coprocess)`: ends the program if it runs.
static int close_function(lua_State *L) {
    coprocess *c = check(L);
    if (c->is_busy) return luaL_error(L, "it waits for the answer to another call");
    end(c, L);
    return 0;
}

/// `new(definition)`: returns a coprocess without a running program, with the definition as its user value.
static int new_function(lua_State *L) {
    lua_settop(L, 1);
    coprocess *c = lua_newuserdatauv(L, sizeof *c, 1);
    *c = (coprocess){0};
    clear(c);
    luaL_setmetatable(L, type_name);
    lua_insert(L, 1);
    lua_setiuservalue(L, 1, 1);
    return 1;
}

/// `definition(coprocess)`: returns the definition.
static int definition_function(lua_State *L) {
    check(L);
    lua_getiuservalue(L, 1, 1);
    return 1;
}

/// `decode(text)`: returns the text's value; or nil and an error message.
static int decode(lua_State *L) {
    size_t count;
    const char *text = luaL_checklstring(L, 1, &count), *place, *complaint = dlp_push_answer(L, text, count, &place);
    if (complaint == NULL) return 1;
    lua_settop(L, 1);
    lua_pushnil(L);
    dlp_push_complaint(L, complaint, place, text + count);
    return 2;
}

/// `own_path()`: returns the path of this program's file, or nil.
static int own_path(lua_State *L) {
    char path[PATH_MAX];
    ssize_t count = readlink("/proc/self/exe", path, sizeof path);
    if (count <= 0) return 0;
    lua_pushlstring(L, path, (size_t)count);
    return 1;
}

int dlp_open_coprocess(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"new", new_function}, {"definition", definition_function}, {"ask", ask}, {"close", close_function},
        {"decode", decode}, {"own_path", own_path}, {NULL, NULL},
    };
    luaL_newlib(L, functions);
    luaL_newmetatable(L, type_name);
    lua_pushcfunction(L, close_function);
    lua_setfield(L, -2, "__gc");
    lua_setfield(L, -2, "type");
    return 1;
}
