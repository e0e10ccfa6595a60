#define _GNU_SOURCE
#include "inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// Readers of data files: userdata that return a record each time they are called, as a generic `for` needs it.

static const char reader_type[] = "dlp.reader";

// MARK: Readers

static dlp_reader *push_reader(lua_State *L, dlp_input format) {
    dlp_reader *r = lua_newuserdatauv(L, sizeof *r, reader_values);
    *r = (dlp_reader){
        .descriptor = -1, .format = format, .next_line = 1, .separator = format == dlp_tsv ? '\t' : ',', .has_header = true,
    };
    luaL_setmetatable(L, reader_type);
    return r;
}

/// Opens the file by the reader's name.
static void open_file(lua_State *L, int reader) {
    dlp_reader *r = lua_touserdata(L, reader);
    lua_getiuservalue(L, reader, reader_name);
    struct stat facts;
    r->descriptor = open(lua_tostring(L, -1), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (r->descriptor < 0 && (errno == EMFILE || errno == ENFILE)) {
        // Readers that the script no longer uses may still be open.
        lua_gc(L, LUA_GCCOLLECT);
        r->descriptor = open(lua_tostring(L, -1), O_RDONLY | O_CLOEXEC | O_NOCTTY);
    }
    bool is_open = r->descriptor >= 0 && fstat(r->descriptor, &facts) == 0;
    if (is_open && S_ISDIR(facts.st_mode)) {
        errno = EISDIR;
        is_open = false;
    }
    if (!is_open) {
        int error = errno;
        dlp_close_reader(L, r);
        dlp_fail_at(L, reader, NULL, "cannot be opened: %s", strerror(error));
    }
    lua_pop(L, 1);
}

/// Pushes the record that was found; returns false, and pushes nothing, if the record has no value.
static bool push_record(lua_State *L, int reader) {
    dlp_reader *r = lua_touserdata(L, reader);
    char *text = r->bytes + r->record;
    size_t count = r->record_end - r->record;
    switch (r->format) {
    case dlp_lines:
    case dlp_nul: lua_pushlstring(L, text, count); return true;
    case dlp_csv:
    case dlp_tsv: return dlp_push_row(L, reader);
    case dlp_jsonl: break;
    }
    if (strspn(text, " \t\r") >= count) return false;
    // The text ends with a NUL in place of the line feed.
    text[count] = 0;
    const char *place, *complaint = dlp_push_json(L, text, count, &place);
    if (complaint != NULL) {
        dlp_push_complaint(L, complaint, place, text + count);
        dlp_fail_at(L, reader, place, "%s", lua_tostring(L, -1));
    }
    if (lua_isnil(L, -1)) dlp_fail_at(L, reader, text, "null, which in Lua is nothing, and so is no example");
    return true;
}

/// Pushes the next record.
static dlp_found next_record(lua_State *L, int reader, bool waits) {
    dlp_reader *r = lua_touserdata(L, reader);
    if (r->is_over) return found_end;
    if (r->descriptor < 0) open_file(L, reader);
    for (;;) {
        dlp_found found = dlp_find_record(L, reader, waits);
        if (found == found_end) dlp_close_reader(L, r);
        if (found != found_record) return found;
        if (push_record(L, reader)) break;
        if (dlp_is_to_fail(host_of(L))) luaL_error(L, "interrupted");
    }
    r->records++;
    return found_record;
}

static int call_body(lua_State *L) {
    dlp_reader *r = lua_touserdata(L, 1);
    if (next_record(L, 1, true) != found_record) return 0;
    lua_pushinteger(L, r->records);
    return 2;
}

/// `reader()`: returns the next record and its number; nil at the end.
static int call_reader(lua_State *L) {
    dlp_reader *r = luaL_checkudata(L, 1, reader_type);
    if (r->is_busy) return luaL_error(L, "a finalizer asks for a record while one is being read");
    lua_settop(L, 1);
    lua_pushcfunction(L, call_body);
    lua_pushvalue(L, 1);
    r->is_busy = true;
    int status = lua_pcall(L, 1, 2, 0);
    r->is_busy = false;
    if (r->is_to_close) dlp_close_reader(L, r);
    if (status != LUA_OK) return lua_error(L);
    return lua_isnil(L, -2) ? 0 : 2;
}

static int close_reader(lua_State *L) {
    dlp_reader *r = luaL_checkudata(L, 1, reader_type);
    if (r->is_busy) r->is_to_close = true;
    else dlp_close_reader(L, r);
    return 0;
}

/// Creates the type, and pushes the table of its methods.
static void push_methods(lua_State *L) {
    static const luaL_Reg functions[] = {
        {"__call", call_reader}, {"__close", close_reader}, {"__gc", close_reader}, {NULL, NULL},
    };
    if (luaL_newmetatable(L, reader_type)) {
        luaL_setfuncs(L, functions, 0);
        lua_newtable(L);
        lua_setfield(L, -2, "__index");
    }
    lua_getfield(L, -1, "__index");
    lua_remove(L, -2);
}

// MARK: Functions of the module

/// `open_input(format, path, now, separator, header, fills, types)`: returns a reader. Its file is opened now or at the first
/// call. The format is a word; `types` is true (to be guessed), a table of letters by column, or nil.
static int open_input(lua_State *L) {
    static const char *const formats[] = {"lines", "nul", "csv", "tsv", "jsonl", NULL};
    dlp_input format = (dlp_input)luaL_checkoption(L, 1, NULL, formats);
    luaL_checkstring(L, 2);
    const char *separator = luaL_optstring(L, 4, ",");
    lua_settop(L, 7);
    push_methods(L);
    lua_pop(L, 1);
    dlp_reader *r = push_reader(L, format);
    r->separator = *separator;
    r->has_header = lua_toboolean(L, 5);
    r->fills = lua_toboolean(L, 6);
    r->is_auto = lua_isboolean(L, 7) && lua_toboolean(L, 7);
    lua_pushvalue(L, 2);
    lua_setiuservalue(L, 8, reader_name);
    if (lua_istable(L, 7)) {
        lua_pushvalue(L, 7);
        lua_setiuservalue(L, 8, reader_types);
    }
    if (lua_toboolean(L, 3)) open_file(L, 8);
    return 1;
}

/// `decode_json(text)`: returns the text's value.
static int decode_json(lua_State *L) {
    if (lua_type(L, 1) != LUA_TSTRING) {
        dlp_push_where(L);
        lua_pushfstring(L, "json.decode: expected a string, got %s", luaL_typename(L, 1));
        lua_concat(L, 2);
        return lua_error(L);
    }
    lua_settop(L, 1);
    size_t count;
    const char *text = lua_tolstring(L, 1, &count), *place, *complaint = dlp_push_json(L, text, count, &place);
    if (complaint == NULL) return 1;
    lua_settop(L, 1);
    lua_Integer line = 1;
    const char *start = text;
    for (const char *end; (end = memchr(start, '\n', (size_t)(place - start))) != NULL; start = end + 1) line++;
    dlp_push_where(L);
    lua_pushfstring(L, "json.decode: line %I, column %I: ", line, (lua_Integer)(place - start + 1));
    dlp_push_complaint(L, complaint, place, text + count);
    lua_concat(L, 3);
    return lua_error(L);
}

/// `reader_methods()`: returns the table of the readers' methods.
static int reader_methods(lua_State *L) {
    push_methods(L);
    return 1;
}

void dlp_set_input_functions(lua_State *L, bool may_read) {
    lua_pushcfunction(L, decode_json);
    lua_setfield(L, -2, "decode_json");
    if (!may_read) return;
    lua_pushcfunction(L, open_input);
    lua_setfield(L, -2, "open_input");
    lua_pushcfunction(L, reader_methods);
    lua_setfield(L, -2, "reader_methods");
}

// MARK: For Swift

/// The arguments of a call from Swift.
typedef struct {
    int descriptor;
    const char *name;
    dlp_input format;
    const void *ahead;
    size_t ahead_count;
    bool waits;
    dlp_found found;
} request;

static int open_body(lua_State *L) {
    const request *q = lua_touserdata(L, 1);
    push_methods(L);
    dlp_reader *r = push_reader(L, q->format);
    r->descriptor = q->descriptor;
    lua_pushstring(L, q->name);
    lua_setiuservalue(L, -2, reader_name);
    dlp_take_ahead(L, lua_gettop(L), q->ahead, q->ahead_count);
    return 1;
}

int dlp_open_input(
    lua_State *L, int descriptor, const char *name, dlp_input format, const void *ahead, size_t ahead_count) {
    request q = {.descriptor = descriptor, .name = name, .format = format, .ahead = ahead, .ahead_count = ahead_count};
    lua_pushcfunction(L, open_body);
    lua_pushlightuserdata(L, &q);
    return dlp_call_handled(L, 1, 1, 0);
}

static int next_body(lua_State *L) {
    request *q = lua_touserdata(L, 2);
    lua_settop(L, 1);
    q->found = next_record(L, 1, q->waits);
    return q->found == found_record;
}

dlp_input_found dlp_next_input(lua_State *L, int index, bool waits) {
    request q = {.waits = waits};
    index = lua_absindex(L, index);
    lua_pushcfunction(L, next_body);
    lua_pushvalue(L, index);
    lua_pushlightuserdata(L, &q);
    if (dlp_call_handled(L, 2, 1, 0) != LUA_OK) return dlp_input_failed;
    if (q.found == found_record) return dlp_input_record;
    lua_pop(L, 1);
    return q.found == found_end ? dlp_input_end : dlp_input_nothing;
}
