#define _GNU_SOURCE
#include "host.h"

#include <dlfcn.h>

// Facts about functions that are needed to find what a function of the script can reach.

/// Copies the table on top, with the table itself at `true`, to the field `name` of the table at index 1.
static void note(lua_State *L, const char *name) {
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, -3) != 0;) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    lua_pushvalue(L, -2);
    lua_pushboolean(L, true);
    lua_insert(L, -2);
    lua_rawset(L, -3);
    lua_setfield(L, 1, name);
}

static int note_libraries(lua_State *L) {
    static const char *const names[] = {
        LUA_GNAME,     LUA_STRLIBNAME, LUA_TABLIBNAME, LUA_MATHLIBNAME, LUA_UTF8LIBNAME, LUA_OSLIBNAME,
        LUA_IOLIBNAME, LUA_COLIBNAME,  LUA_DBLIBNAME,  LUA_LOADLIBNAME, "dlp",
    };
    lua_settop(L, 0);
    lua_newtable(L);
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (lua_getfield(L, 2, names[i]) == LUA_TTABLE) note(L, names[i]);
        lua_settop(L, 2);
    }
    if (luaL_getmetatable(L, LUA_FILEHANDLE) == LUA_TTABLE) {
        note(L, LUA_FILEHANDLE);
        if (lua_getfield(L, 3, "__index") == LUA_TTABLE) note(L, "file");
    }
    lua_settop(L, 2);
    lua_pushliteral(L, "");
    if (lua_getmetatable(L, -1)) note(L, "strings");
    lua_settop(L, 1);
    lua_setfield(L, LUA_REGISTRYINDEX, dlp_libraries);
    return 0;
}

int dlp_note_libraries(lua_State *L) {
    lua_pushcfunction(L, note_libraries);
    return lua_pcall(L, 0, 0, 0);
}

/// Returns where the file that contains this address begins in memory.
static const void *base_of(const void *address) {
    Dl_info facts;
    return dladdr(address, &facts) != 0 ? facts.dli_fbase : NULL;
}

bool dlp_is_own_function(lua_CFunction function, const char **file, size_t *offset) {
    Dl_info facts;
    *file = NULL;
    *offset = 0;
    if (dladdr((const void *)function, &facts) == 0) return false;
    *offset = (size_t)((const char *)function - (const char *)facts.dli_fbase);
    if (facts.dli_fbase == base_of((const void *)dlp_is_own_function)) return true;
    if (facts.dli_fbase == base_of((const void *)luaL_openlibs)) return true;
    *file = facts.dli_fname;
    return false;
}

void dlp_collect(lua_State *L) { lua_gc(L, LUA_GCCOLLECT); }
