#define _GNU_SOURCE
#include "host.h"

#include <dlfcn.h>
#include <string.h>

// What is to be known of functions by those who look at what a function of the script can reach.

static int open_libraries(lua_State *L) {
    luaL_openlibs(L);
    return 0;
}

/// Adds to the table on top of `L` the fields of the table on top of `fresh`, whose names begin with `library`.
static void add_names(lua_State *L, lua_State *fresh, const char *library) {
    for (lua_pushnil(fresh); lua_next(fresh, -2) != 0; lua_pop(fresh, 1)) {
        if (lua_type(fresh, -2) != LUA_TSTRING) continue;
        if (strcmp(library, LUA_GNAME) == 0) {
            lua_pushstring(L, lua_tostring(fresh, -2));
        } else {
            lua_pushfstring(L, "%s.%s", library, lua_tostring(fresh, -2));
        }
        lua_CFunction function = lua_tocfunction(fresh, -1);
        // A closure is another one in each state.
        bool is_closure = function == NULL || lua_getupvalue(fresh, -1, 1) != NULL;
        if (is_closure) {
            lua_pushboolean(L, true);
            lua_settop(fresh, 5);
        } else {
            lua_pushlightuserdata(L, (void *)function);
        }
        lua_rawset(L, -3);
    }
}

bool dlp_push_original_names(lua_State *L) {
    lua_newtable(L);
    lua_State *fresh = luaL_newstate();
    if (fresh == NULL) return false;
    lua_pushcfunction(fresh, open_libraries);
    bool is_open = lua_pcall(fresh, 0, 0, 0) == LUA_OK;
    if (is_open) {
        lua_getfield(fresh, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
        for (lua_pushnil(fresh); lua_next(fresh, 1) != 0; lua_pop(fresh, 1))
            if (lua_type(fresh, 2) == LUA_TSTRING && lua_istable(fresh, 3)) add_names(L, fresh, lua_tostring(fresh, 2));
    }
    lua_close(fresh);
    return is_open;
}

/// Where the file begins in memory that has this address in it.
static const void *base_of(const void *address) {
    Dl_info facts;
    return dladdr(address, &facts) != 0 ? facts.dli_fbase : NULL;
}

bool dlp_is_own_function(lua_CFunction function, const char **file, size_t *offset) {
    Dl_info facts;
    *file = NULL;
    *offset = 0;
    if (dladdr((const void *)function, &facts) == 0) return false;
    if (facts.dli_fbase == base_of((const void *)open_libraries)) return true;
    if (facts.dli_fbase == base_of((const void *)luaL_openlibs)) return true;
    *file = facts.dli_fname;
    *offset = (size_t)((const char *)function - (const char *)facts.dli_fbase);
    return false;
}

void dlp_collect(lua_State *L) { lua_gc(L, LUA_GCCOLLECT); }
