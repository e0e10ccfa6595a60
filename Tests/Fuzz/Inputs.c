#define _GNU_SOURCE
#include "inputs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// Checks for any contents of a data file: each way of reading it ends, gives a reason where it refuses it, and does
// not depend on the pieces in which it comes. The first byte determines how it is read.

static void check(bool holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "%s\n", what);
    abort();
}

/// Reads JSON.
static int json(lua_State *L) {
    size_t count;
    const char *text = luaL_checklstring(L, 1, &count), *place = NULL;
    const char *complaint = dlp_push_json(L, text, count, &place);
    check(place >= text && place <= text + count, "a place outside of the text");
    if (complaint == NULL) check(lua_gettop(L) == 2, "not one value");
    else dlp_push_complaint(L, complaint, place, text + count);
    return 0;
}

static int descriptor(const uint8_t *bytes, size_t count) {
    int file = memfd_create("input", MFD_CLOEXEC);
    check(file >= 0 && write(file, bytes, count) == (ssize_t)count && lseek(file, 0, SEEK_SET) == 0, "no file");
    return file;
}

/// Adds all records of the file, or their error messages, to a table at the top; a prefix counts as read ahead.
static void read_all(lua_State *L, const uint8_t *bytes, size_t count, size_t ahead, dlp_input format) {
    lua_newtable(L);
    if (dlp_open_input(L, descriptor(bytes + ahead, count - ahead), "f", format, bytes, ahead) != LUA_OK)
        return lua_rawseti(L, -2, 1);
    for (lua_Integer i = 1;; i++) {
        dlp_input_found found = dlp_next_input(L, -1, true);
        if (found == dlp_input_end) break;
        check(found != dlp_input_nothing, "it did not wait");
        check(i <= (lua_Integer)count + 2, "there is no end");
        lua_rawseti(L, -3, i);
    }
    lua_pop(L, 1);
}

/// Whether two values are alike.
static bool are_alike(lua_State *L, int a, int b) {
    if (lua_type(L, a) != lua_type(L, b)) return false;
    if (lua_type(L, a) != LUA_TTABLE) {
        // NaN is not equal to itself.
        return lua_rawequal(L, a, b) || (lua_isnumber(L, a) && lua_tonumber(L, a) != lua_tonumber(L, a));
    }
    luaL_checkstack(L, 8, NULL);
    for (lua_pushnil(L); lua_next(L, a); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_rawget(L, b);
        bool are = are_alike(L, lua_gettop(L) - 1, lua_gettop(L));
        lua_pop(L, 1);
        if (!are) return false;
    }
    return true;
}

/// The arguments for a protected call.
typedef struct {
    const uint8_t *bytes;
    size_t count;
    uint8_t way;
} input;

static int records(lua_State *L) {
    const input *in = lua_touserdata(L, 1);
    dlp_input format = (dlp_input)(in->way % 5);
    read_all(L, in->bytes, in->count, 0, format);
    read_all(L, in->bytes, in->count, in->count * (in->way / 5) / 64, format);
    check(are_alike(L, 2, 3) && are_alike(L, 3, 2), "the pieces make a difference");
    return 0;
}

/// Reads CSV by the module's function, with options.
static int typed(lua_State *L) {
    const input *in = lua_touserdata(L, 1);
    static const char *const all[] = {"i", "n", "b", "s"};
    lua_newtable(L);
    dlp_set_input_functions(L, true);
    lua_getfield(L, -1, "open_input");
    lua_pushliteral(L, "csv");
    int file = descriptor(in->bytes, in->count);
    lua_pushfstring(L, "/proc/self/fd/%d", file);
    lua_pushboolean(L, 1);
    lua_pushstring(L, in->way & 4 ? ";" : ",");
    bool has_header = in->way & 8;
    lua_pushboolean(L, has_header);
    lua_pushboolean(L, in->way & 16);
    if (in->way & 32) lua_pushboolean(L, 1);
    else {
        lua_newtable(L);
        lua_pushstring(L, all[in->way & 3]);
        if (has_header) lua_setfield(L, -2, "a");
        else lua_rawseti(L, -2, 1);
    }
    int status = lua_pcall(L, 7, 1, 0);
    close(file);
    check(status == LUA_OK, "it cannot be opened");
    for (size_t i = 0;; i++) {
        check(i <= in->count + 2, "there is no end");
        lua_pushvalue(L, -1);
        if (lua_pcall(L, 0, 1, 0) == LUA_OK && lua_isnil(L, -1)) break;
        lua_pop(L, 1);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    if (count == 0) return 0;
    lua_State *L = dlp_new_state();
    check(L != NULL, "no memory for a state");
    input in = {.bytes = bytes + 1, .count = count - 1, .way = bytes[0]};
    lua_pushcfunction(L, json);
    lua_pushlstring(L, (const char *)in.bytes, in.count);
    check(lua_pcall(L, 1, 0, 0) == LUA_OK, "JSON raises");
    lua_pushcfunction(L, bytes[0] & 128 ? typed : records);
    lua_pushlightuserdata(L, &in);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) check(false, lua_tostring(L, -1));
    dlp_close(L);
    return 0;
}
