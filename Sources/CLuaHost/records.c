#define _GNU_SOURCE
#include "inputs.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

// Records of a file: reading it, and finding the end of the next record.

/// How much is read at once, and the longest record. If a file has more than this without an end of a row, a quote is not
/// closed, or it is another kind of file.
static const size_t piece = 128 << 10, longest = (size_t)1 << 30;

/// Gives the block this size, plus a byte for a NUL after the data.
static void resize(lua_State *L, dlp_reader *r, size_t capacity) {
    void *context;
    lua_Alloc allocate = lua_getallocf(L, &context);
    size_t old_size = r->bytes != NULL ? r->capacity + 1 : 0, size = capacity > 0 ? capacity + 1 : 0;
    void *bytes = allocate(context, r->bytes, old_size, size);
    if (bytes == NULL && capacity > 0) luaL_error(L, "not enough memory");
    r->bytes = bytes;
    r->capacity = capacity;
}

void dlp_close_reader(lua_State *L, dlp_reader *r) {
    r->is_over = true;
    if (r->descriptor > STDERR_FILENO) close(r->descriptor);
    r->descriptor = -1;
    if (r->bytes != NULL) resize(L, r, 0);
}

void dlp_fail_at(lua_State *L, int reader, const char *place, const char *format, ...) {
    dlp_reader *r = lua_touserdata(L, reader);
    reader = lua_absindex(L, reader);
    luaL_checkstack(L, 8, NULL);
    va_list arguments;
    va_start(arguments, format);
    lua_pushvfstring(L, format, arguments);
    va_end(arguments);
    dlp_push_where(L);
    lua_getiuservalue(L, reader, reader_name);
    if (place == NULL) {
        lua_pushliteral(L, " ");
    } else {
        lua_Integer line = (lua_Integer)r->line;
        const char *start = r->bytes + r->record;
        for (const char *end; (end = memchr(start, '\n', (size_t)(place - start))) != NULL; start = end + 1) line++;
        lua_pushfstring(L, ":%I:%I: ", line, (lua_Integer)(place - start + 1));
    }
    lua_pushvalue(L, -4);
    lua_concat(L, 4);
    lua_error(L);
    __builtin_unreachable();
}

/// Raises a system error.
static void fail(lua_State *L, int reader) {
    int error = errno;
    dlp_close_reader(L, lua_touserdata(L, reader));
    dlp_fail_at(L, reader, NULL, "cannot be read: %s", strerror(error));
}

/// Moves the current record to the beginning, and makes room after it.
static void make_room(lua_State *L, dlp_reader *r) {
    if (r->start > 0) {
        r->count -= r->start;
        r->scanned -= r->start;
        memmove(r->bytes, r->bytes + r->start, r->count);
        r->start = 0;
    }
    if (r->count == r->capacity) resize(L, r, r->capacity > 0 ? 2 * r->capacity : piece);
}

/// Skips a byte order mark of UTF-8, and refuses one of UTF-16.
static void look_at_beginning(lua_State *L, int reader) {
    dlp_reader *r = lua_touserdata(L, reader);
    if (r->is_begun || r->format == dlp_lines || r->format == dlp_nul) return;
    r->is_begun = r->count >= 3;
    if (r->count >= 2 && (memcmp(r->bytes, "\xff\xfe", 2) == 0 || memcmp(r->bytes, "\xfe\xff", 2) == 0)) {
        dlp_close_reader(L, r);
        dlp_fail_at(L, reader, NULL, "is UTF-16; save it as UTF-8");
    }
    if (r->count >= 3 && memcmp(r->bytes, "\xef\xbb\xbf", 3) == 0) r->start = r->scanned = 3;
}

void dlp_take_ahead(lua_State *L, int reader, const void *bytes, size_t count) {
    dlp_reader *r = lua_touserdata(L, reader);
    resize(L, r, count < piece ? piece : count);
    if (count > 0) memcpy(r->bytes, bytes, count);
    r->count = count;
    r->bytes[count] = 0;
    if (count > 0) look_at_beginning(L, reader);
}

/// Reads more; returns false if nothing is available and it is not to wait.
static bool read_more(lua_State *L, int reader, bool waits) {
    dlp_reader *r = lua_touserdata(L, reader);
    if (r->count - r->start >= longest) {
        bool is_quoted = r->place == in_quotes;
        const char *place = r->bytes + r->start + (is_quoted ? r->quote : 0);
        r->record = r->start;
        r->line = r->next_line;
        r->is_over = true;
        dlp_fail_at(
            L, reader, place, is_quoted ? "a quote that is not closed within 1 GiB" : "a line that is longer than 1 GiB");
    }
    struct pollfd polled = {.fd = r->descriptor, .events = POLLIN};
    if (!waits && poll(&polled, 1, 0) == 0) return false;
    make_room(L, r);
    ssize_t count;
    do count = read(r->descriptor, r->bytes + r->count, r->capacity - r->count);
    while (count < 0 && errno == EINTR && !dlp_is_to_fail(host_of(L)));
    if (count < 0) fail(L, reader);
    r->is_at_end = count == 0;
    r->count += (size_t)count;
    r->bytes[r->count] = 0;
    if (r->start == 0) look_at_beginning(L, reader);
    return true;
}

/// Continues to search for the end of the record.
static bool find_end(dlp_reader *r) {
    if (r->format == dlp_csv || r->format == dlp_tsv) return dlp_find_row(r);
    if (r->scanned == r->count) return false;
    const char *end = memchr(r->bytes + r->scanned, r->format == dlp_nul ? 0 : '\n', r->count - r->scanned);
    r->scanned = end != NULL ? (size_t)(end - r->bytes) : r->count;
    return end != NULL;
}

dlp_found dlp_find_record(lua_State *L, int reader, bool waits) {
    dlp_reader *r = lua_touserdata(L, reader);
    while (!find_end(r)) {
        if (r->is_at_end) break;
        if (!read_more(L, reader, waits)) return found_nothing;
    }
    r->is_begun = true;
    r->line = r->next_line;
    r->record = r->start;
    r->record_end = r->scanned;
    if (r->scanned == r->count && r->start == r->count) return found_end;
    if (r->scanned == r->count && r->place == in_quotes) {
        r->is_over = true;
        dlp_fail_at(L, reader, r->bytes + r->start + r->quote, "a quote that is never closed");
    }
    r->start = r->scanned = r->scanned < r->count ? r->scanned + 1 : r->scanned;
    r->next_line++;
    if (r->has_quotes)
        for (const char *s = r->bytes + r->record, *end = r->bytes + r->record_end;
             (s = memchr(s, '\n', (size_t)(end - s))) != NULL; s++)
            r->next_line++;
    return found_record;
}
