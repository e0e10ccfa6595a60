#include "host.h"

// A hook belongs to one coroutine, and Lua does not tell which one is running. Therefore the functions that switch between
// coroutines are replaced by functions that do the same and record the switch.



/// Passes the `count` values on top of `L` to `co` and runs it. Returns how many values it yielded or returned, which are on
/// top of `L`; or -1 with an error there.
static int run_coroutine(lua_State *L, lua_State *co, int count) {
    if (!lua_checkstack(co, count)) {
        lua_pushliteral(L, "too many arguments to resume");
        return -1;
    }
    lua_xmove(L, co, count);
    dlp_switch_to(co);
    int results = 0;
    int status = lua_resume(co, L, count, &results);
    dlp_switch_to(L);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return -1;
    }
    if (!lua_checkstack(L, results + 1)) {
        lua_pop(co, results);
        lua_pushliteral(L, "too many results to resume");
        return -1;
    }
    lua_xmove(co, L, results);
    return results;
}

static lua_State *coroutine_argument(lua_State *L) {
    lua_State *co = lua_tothread(L, 1);
    luaL_argexpected(L, co != NULL, 1, "coroutine");
    return co;
}

/// coroutine.resume(co, ...)
static int resume(lua_State *L) {
    lua_State *co = coroutine_argument(L);
    int results = run_coroutine(L, co, lua_gettop(L) - 1);
    lua_pushboolean(L, results >= 0);
    lua_insert(L, -(results >= 0 ? results : 1) - 1);
    return (results >= 0 ? results : 1) + 1;
}

/// Closes the open variables of `co`; returns a status, with the error on top of `co` if there is one.
static int close_variables(lua_State *L, lua_State *co) {
    dlp_switch_to(co);
    int status = lua_resetthread(co);
    dlp_switch_to(L);
    return status;
}

/// The function that coroutine.wrap returns.
static int call_wrapped(lua_State *L) {
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));
    int results = run_coroutine(L, co, lua_gettop(L));
    if (results >= 0) return results;
    int status = lua_status(co);
    if (status != LUA_OK && status != LUA_YIELD) {
        // The coroutine failed while it ran. Closing its variables may raise another error, which then replaces the first.
        status = close_variables(L, co);
        lua_xmove(co, L, 1);
    }
    if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) {
        luaL_where(L, 1);
        lua_insert(L, -2);
        lua_concat(L, 2);
    }
    return lua_error(L);
}

/// coroutine.wrap(f)
static int wrap(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_State *co = lua_newthread(L);
    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    lua_pushcclosure(L, call_wrapped, 1);
    return 1;
}

/// coroutine.close(co)
static int close_coroutine(lua_State *L) {
    lua_State *co = coroutine_argument(L);
    lua_Debug frame;
    if (co == L) return luaL_error(L, "cannot close a running coroutine");
    if (lua_status(co) == LUA_OK && lua_getstack(co, 0, &frame)) {
        return luaL_error(L, "cannot close a normal coroutine");
    }
    bool is_closed = close_variables(L, co) == LUA_OK;
    lua_pushboolean(L, is_closed);
    if (is_closed) return 1;
    lua_xmove(co, L, 1);
    return 2;
}

void dlp_open_coroutines(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"resume", resume}, {"wrap", wrap}, {"close", close_coroutine}, {NULL, NULL},
    };
    lua_getglobal(L, LUA_COLIBNAME);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
}
