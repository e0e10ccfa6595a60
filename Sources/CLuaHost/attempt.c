#include "host.h"

// Calls of a loop's function for one element, in C. The error that ends an element whose time is up must not be raised in the
// module's Lua code, between that element and the next one.

/// Ends an attempt. If the element's time was up, it has failed, even if the script has caught the error.
static int attempt_ended(lua_State *L, int status, lua_KContext context) {
    (void)context;
    bool is_done = status == LUA_OK || status == LUA_YIELD;
    if (is_done && dlp_is_expired(host_of(L))) {
        lua_pop(L, 1);
        lua_pushstring(L, host_of(L)->late_message);
        is_done = false;
    }
    if (dlp_example_under_way(L).number) dlp_end_example(L);
    lua_pushboolean(L, is_done);
    lua_insert(L, -2);
    return 2;
}

/// `attempt(fn, value, index)`: true and the first result of `fn(value, index)`, or false and its error.
static int attempt(lua_State *L) {
    lua_Integer index = lua_tointeger(L, 3);
    lua_settop(L, 3);
    dlp_push_handler(L);
    lua_insert(L, 1);
    dlp_begin_element(L, index, false);
    return attempt_ended(L, lua_pcallk(L, 2, 1, 1, 0, attempt_ended), 0);
}

/// `raise(error)`: raises what `attempt` has caught, with the traceback from there.
static int raise_again(lua_State *L) {
    lua_settop(L, 1);
    lua_pushvalue(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &dlp_raised_again);
    return lua_error(L);
}

/// `begin(index)`: an element begins in the body of a loop, which is the script's code.
static int begin(lua_State *L) {
    dlp_begin_element(L, lua_tointeger(L, 1), true);
    return 0;
}

/// `ended(has_failed)`: the body has ended. If its time was up, this raises an error, even if the script has caught the
/// first one.
static int ended(lua_State *L) {
    bool is_late = dlp_is_expired(host_of(L)) && !lua_toboolean(L, 1);
    if (dlp_example_under_way(L).number) dlp_end_example(L);
    if (!is_late) return 0;
    dlp_push_where(L);
    lua_pushstring(L, host_of(L)->late_message);
    lua_concat(L, 2);
    return lua_error(L);
}

/// `traced()`: the traceback of the last error that `trace`, as a message handler, has seen.
static int traced(lua_State *L) {
    lua_pushstring(L, dlp_traceback(L));
    dlp_forget_element(L);
    return 1;
}

/// `where()`: the script's position, in the form that begins a message.
static int where(lua_State *L) {
    dlp_push_where(L);
    return 1;
}

void dlp_set_attempt_functions(lua_State *L) {
    static const luaL_Reg functions[] = {{"attempt", attempt}, {"raise", raise_again}, {"begin", begin}, {"ended", ended},
                                         {"traced", traced},   {"where", where}, {NULL, NULL}};
    luaL_setfuncs(L, functions, 0);
    dlp_push_handler(L);
    lua_setfield(L, -2, "trace");
}
