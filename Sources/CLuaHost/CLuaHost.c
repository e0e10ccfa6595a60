#include "host.h"

#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// MARK: Opening and closing

static int open_libraries(lua_State *L) {
    luaL_openlibs(L);
    dlp_open_coroutines(L);
    return dlp_open_tables(L);
}

/// An error outside any protected call is a bug of this program, or there is no memory left.
static int panic(lua_State *L) {
    const char *text = lua_tostring(L, -1);
    fprintf(stderr, "dlp-lua: Lua failed outside of a script: %s\n", text ? text : "no message");
    _exit(1);
}

lua_State *dlp_new_state(void) {
    lua_State *L = luaL_newstate();
    host *h = calloc(1, sizeof *h);
    if (L == NULL || h == NULL) return NULL;
    lua_atpanic(L, panic);
    h->random.seed_reference = LUA_NOREF;
    h->describer = LUA_NOREF;
    // Lua copies it into each new coroutine.
    *(host **)lua_getextraspace(L) = h;
    dlp_count_memory(L);
    dlp_open_interruption(L);
    lua_pushcfunction(L, open_libraries);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
        dlp_close(L);
        return NULL;
    }
    return L;
}

void dlp_close(lua_State *L) {
    host *h = host_of(L);
    dlp_close_interruption(L);
    dlp_stop_tracking(L);
    lua_close(L);
    dlp_free_blocks(h);
    free(h->traceback);
    free(h->element);
    free(h);
}

// MARK: Calls from Lua into Swift

void dlp_set_dispatcher(lua_State *L, dlp_function dispatcher, void *context) {
    host_of(L)->dispatcher = dispatcher;
    host_of(L)->context = context;
}

/// Finds the innermost line that is not in the module's own Lua code.
static bool find_place(lua_State *L, lua_Debug *frame) {
    // C functions have no lines.
    for (int level = 0; lua_getstack(L, level, frame); level++) {
        lua_getinfo(L, "Sl", frame);
        if (frame->currentline > 0 && strcmp(frame->source, "=" DLP_MODULE_CHUNK) != 0) return true;
    }
    return false;
}

void dlp_push_where(lua_State *L) {
    lua_Debug frame;
    if (find_place(L, &frame)) {
        lua_pushfstring(L, "%s:%d: ", frame.short_src, frame.currentline);
    } else {
        lua_pushliteral(L, "");
    }
}

int dlp_line(lua_State *L) {
    lua_Debug frame;
    return find_place(L, &frame) ? frame.currentline : 0;
}

static int trampoline(lua_State *L) {
    int number = (int)lua_tointeger(L, lua_upvalueindex(1));
    host *h = host_of(L);
    bool was_bound = h->is_bound;
    h->is_bound = false;
    int results = h->dispatcher(h->context, L, number);
    if (results == dlp_raise) {
        h->is_bound = was_bound;
        if (lua_type(L, -1) == LUA_TSTRING) {
            dlp_push_where(L);
            lua_insert(L, -2);
            lua_concat(L, 2);
        }
        return lua_error(L);
    }
    if (results == dlp_exit) {
        int status = (int)lua_tointeger(L, -2);
        if (lua_toboolean(L, -1)) lua_close(L);
        exit(status);
    }
    h->is_bound = was_bound;
    return results;
}

void dlp_push_function(lua_State *L, int number) {
    lua_pushinteger(L, number);
    lua_pushcclosure(L, trampoline, 1);
}

// MARK: Protected calls from Swift into Lua

static int make_traceback(lua_State *L) {
    // Levels 0 and 1 are this function and the message handler. Level 2 is the function that raised the error.
    luaL_traceback(L, L, NULL, 2);
    return 1;
}

const char dlp_raised_again;

/// Stores the traceback and does not change the error value, which may be of any type.
static int message_handler(lua_State *L) {
    host *h = host_of(L);
    // An error that is raised again keeps the traceback of its first occurrence.
    lua_rawgetp(L, LUA_REGISTRYINDEX, &dlp_raised_again);
    bool is_known = !lua_isnil(L, -1) && lua_rawequal(L, -1, 1);
    lua_pop(L, 1);
    if (is_known) {
        lua_pushnil(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &dlp_raised_again);
        return 1;
    }
    free(h->traceback);
    h->traceback = NULL;
    // Building the traceback can fail for lack of memory. The error itself is more important.
    lua_pushcfunction(L, make_traceback);
    if (lua_pcall(L, 0, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING) h->traceback = strdup(lua_tostring(L, -1));
    lua_pop(L, 1);
    dlp_forget_element(L);
    if (h->describer == LUA_NOREF) return 1;
    lua_rawgeti(L, LUA_REGISTRYINDEX, h->describer);
    if (lua_pcall(L, 0, 1, 0) == LUA_OK && lua_type(L, -1) == LUA_TSTRING) h->element = strdup(lua_tostring(L, -1));
    lua_pop(L, 1);
    return 1;
}

static int set_describer(lua_State *L) {
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, 1);
    host_of(L)->describer = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

void dlp_push_describer_setter(lua_State *L) { lua_pushcfunction(L, set_describer); }

const char *dlp_element(lua_State *L) {
    const char *element = host_of(L)->element;
    return element ? element : "";
}

void dlp_forget_element(lua_State *L) {
    host *h = host_of(L);
    free(h->element);
    h->element = NULL;
}

void dlp_push_handler(lua_State *L) { lua_pushcfunction(L, message_handler); }

int dlp_call(lua_State *L, int arguments, int results) {
    int base = lua_gettop(L) - arguments;
    lua_pushcfunction(L, message_handler);
    lua_insert(L, base);
    int status = dlp_call_handled(L, arguments, results, base);
    lua_remove(L, base);
    return status;
}

const char *dlp_traceback(lua_State *L) {
    const char *traceback = host_of(L)->traceback;
    return traceback ? traceback : "";
}

static int tostring_body(lua_State *L) {
    luaL_tolstring(L, 1, NULL);
    return 1;
}

void dlp_tostring(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_pushcfunction(L, tostring_body);
    lua_pushvalue(L, index);
    if (dlp_call_handled(L, 1, 1, 0) != LUA_OK || lua_type(L, -1) != LUA_TSTRING) {
        lua_pop(L, 1);
        lua_pushfstring(L, "a %s value whose __tostring fails", luaL_typename(L, index));
    }
}

static int get_body(lua_State *L) {
    lua_gettable(L, 1);
    return 1;
}

int dlp_get(lua_State *L, int table, lua_Integer key) {
    table = lua_absindex(L, table);
    lua_pushcfunction(L, get_body);
    lua_pushvalue(L, table);
    lua_pushinteger(L, key);
    return dlp_call(L, 2, 1);
}

static int length_body(lua_State *L) {
    lua_pushinteger(L, luaL_len(L, 1));
    return 1;
}

int dlp_length(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_pushcfunction(L, length_body);
    lua_pushvalue(L, index);
    return dlp_call(L, 1, 1);
}

static int get_inherited_global_body(lua_State *L) {
    lua_getglobal(L, lua_tostring(L, 1));
    return 1;
}

static int get_global_body(lua_State *L) {
    lua_pushglobaltable(L);
    lua_pushvalue(L, 1);
    if (lua_rawget(L, -2) != LUA_TNIL) return 1;
    // A script may turn undeclared variables into errors. Then the name counts as undefined.
    lua_pushcfunction(L, get_inherited_global_body);
    lua_pushvalue(L, 1);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK) lua_pushnil(L);
    return 1;
}

int dlp_get_global(lua_State *L, const char *name) {
    lua_pushcfunction(L, get_global_body);
    lua_pushstring(L, name);
    return dlp_call(L, 1, 1);
}

void dlp_push_globals(lua_State *L) { lua_pushglobaltable(L); }

static int set_global_body(lua_State *L) {
    lua_setglobal(L, lua_tostring(L, 1));
    return 0;
}

int dlp_set_global(lua_State *L, const char *name) {
    lua_pushcfunction(L, set_global_body);
    lua_insert(L, -2);
    lua_pushstring(L, name);
    lua_insert(L, -2);
    return dlp_call(L, 2, 0);
}

static int counted_print(lua_State *L) {
    host *h = host_of(L);
    h->prints++;
    return h->print(L);
}

static int install_body(lua_State *L) {
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, 1);
    lua_setfield(L, -2, "dlp");
    lua_getglobal(L, "os");
    dlp_push_function(L, (int)lua_tointeger(L, 2));
    lua_setfield(L, -2, "exit");
    lua_pushcfunction(L, dlp_execute);
    lua_setfield(L, -2, "execute");
    lua_getglobal(L, "io");
    lua_pushcfunction(L, dlp_popen);
    lua_setfield(L, -2, "popen");
    lua_getglobal(L, "print");
    host_of(L)->print = lua_tocfunction(L, -1);
    lua_pushcfunction(L, counted_print);
    lua_setglobal(L, "print");
    return 0;
}

int dlp_install(lua_State *L, int exit_number) {
    lua_pushcfunction(L, install_body);
    lua_insert(L, -2);
    lua_pushinteger(L, exit_number);
    return dlp_call(L, 2, 0);
}

static void search_in(lua_State *L, const char *field, const char *templates) {
    lua_getglobal(L, "package");
    lua_getfield(L, -1, field);
    // If the script has replaced the path by something else than a string, it is left alone.
    if (lua_type(L, -1) == LUA_TSTRING) {
        lua_pushliteral(L, ";");
        luaL_gsub(L, templates, "DIR", lua_tostring(L, 1));
        lua_concat(L, 3);
        lua_setfield(L, -2, field);
    }
    lua_settop(L, 1);
}

static int search_in_body(lua_State *L) {
    search_in(L, "path", "DIR/?.lua;DIR/?/init.lua");
    search_in(L, "cpath", "DIR/?.so");
    return 0;
}

int dlp_search_in(lua_State *L, const char *directory) {
    // In `package.path` these two characters have a special meaning.
    if (strpbrk(directory, ";?") != NULL) return LUA_OK;
    lua_pushcfunction(L, search_in_body);
    lua_pushstring(L, directory);
    return dlp_call(L, 1, 0);
}

bool dlp_takes_argument(lua_State *L) {
    const char *name = lua_isfunction(L, -1) ? lua_getlocal(L, NULL, 1) : NULL;
    return name != NULL && name[0] != '_';
}

int dlp_iterate(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_pushvalue(L, index);
    lua_pushvalue(L, index + 1);
    lua_pushvalue(L, index + 2);
    int status = dlp_call(L, 2, 1);
    if (status == LUA_OK) lua_copy(L, -1, index + 2);
    return status;
}

static int close_body(lua_State *L) {
    if (luaL_getmetafield(L, 1, "__close") == LUA_TNIL) return 0;
    lua_pushvalue(L, 1);
    lua_pushnil(L);
    lua_call(L, 2, 0);
    return 0;
}

int dlp_close_value(lua_State *L, int index) {
    index = lua_absindex(L, index);
    lua_pushcfunction(L, close_body);
    lua_pushvalue(L, index);
    return dlp_call(L, 1, 0);
}

// MARK: Standard output

void dlp_buffer_standard_output(void) {
    // If the C library chooses the buffer, it ignores the requested size, and keeps the one byte that "unbuffered" has set.
    static char buffer[64 * 1024];
    // While a status line is shown, a pipe replaces the terminal, and the thread that reads the pipe may flush this buffer.
    static const size_t terminal_size = 4096;
    if (isatty(STDOUT_FILENO)) {
        setvbuf(stdout, buffer, _IOLBF, terminal_size);
    } else {
        setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    }
}

uint64_t dlp_printed(lua_State *L) {
    // Lua's print leaves nothing in the buffer, so calls of `print` are counted separately.
    return (host_of(L)->prints << 20) + __fpending(stdout);
}

int dlp_flush(void) { return fflush(stdout) != 0 || ferror(stdout) ? -1 : 0; }
