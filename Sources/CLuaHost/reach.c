#define _GNU_SOURCE
#include "host.h"

#include <dlfcn.h>

// What is to be known of functions by those who look at what a function of the script can reach.

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
    *offset = (size_t)((const char *)function - (const char *)facts.dli_fbase);
    if (facts.dli_fbase == base_of((const void *)dlp_is_own_function)) return true;
    if (facts.dli_fbase == base_of((const void *)luaL_openlibs)) return true;
    *file = facts.dli_fname;
    return false;
}

void dlp_collect(lua_State *L) { lua_gc(L, LUA_GCCOLLECT); }
