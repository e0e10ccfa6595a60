#define _GNU_SOURCE
#include "inputs.h"

#include <string.h>
#include <strings.h>

// Rows of CSV (RFC 4180). A quote that is not at the beginning of a field is an ordinary character.

// MARK: The end of a row

static void begin_row(dlp_reader *r) {
    r->place = at_field;
    r->has_quotes = false;
}

bool dlp_find_row(dlp_reader *r) {
    const char *s = r->bytes + r->scanned, *end = r->bytes + r->count;
    // The next line feed, or the end of what has been read.
    const char *stop = NULL;
    if (r->scanned == r->start) {
        begin_row(r);
        if (s == end) return false;
        // Most rows have no quotes.
        const char *line = memchr(s, '\n', (size_t)(end - s));
        stop = line != NULL ? line : end;
        const char *quote = memchr(s, '"', (size_t)(stop - s));
        if (line != NULL && quote == NULL) {
            r->scanned = (size_t)(line - r->bytes);
            return true;
        }
        if (quote == NULL) quote = end;
        if (quote > s) r->place = quote[-1] == r->separator ? at_field : in_field;
        s = quote;
    }
    bool is_found = false;
    while (s < end && !is_found) {
        if (r->place == in_quotes) {
            s = memchr(s, '"', (size_t)(end - s));
            if (s == NULL) {
                s = end;
                break;
            }
            r->place = behind_quote;
            s++;
        } else if (r->place == behind_quote && *s == '"') {
            r->place = in_quotes;
            s++;
        } else if (*s == '\n') {
            is_found = true;
        } else if (*s == r->separator) {
            r->place = at_field;
            s++;
        } else if (*s == '"' && r->place == at_field) {
            r->place = in_quotes;
            r->has_quotes = true;
            r->quote = (size_t)(s - r->bytes) - r->start;
            s++;
        } else {
            if (stop == NULL || s > stop) {
                stop = memchr(s, '\n', (size_t)(end - s));
                if (stop == NULL) stop = end;
            }
            // Nothing up to the next quote has a meaning, and a quote in this place is not at the beginning of a field.
            const char *quote = *s == '"' ? s + 1 : memchr(s, '"', (size_t)(stop - s));
            s = quote != NULL ? quote : stop;
            r->place = s[-1] == r->separator ? at_field : in_field;
        }
    }
    r->scanned = (size_t)(s - r->bytes);
    return is_found;
}

// MARK: Fields

/// Like memchr, but faster if the byte is near, as in most fields.
static inline const char *find_near(const char *s, char byte, const char *end) {
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    if (end - s >= 8) {
        const uint64_t ones = 0x0101010101010101;
        uint64_t word;
        memcpy(&word, s, 8);
        // The bytes that match become 0. The lowest bit set in `found` is in the first of them.
        word ^= ones * (unsigned char)byte;
        uint64_t found = (word - ones) & ~word & ones << 7;
        if (found != 0) return s + __builtin_ctzll(found) / 8;
        s += 8;
    }
#endif
    return memchr(s, byte, (size_t)(end - s));
}

/// A field of a row, without its quotes.
typedef struct {
    const char *start, *end;
    /// The beginning of the next field; NULL for the last field.
    const char *next;
    bool is_quoted, has_doubled;
} field;

/// Returns the field that begins at `s` in a row that ends at `end`.
static field take_field(lua_State *L, int reader, const dlp_reader *r, const char *s, const char *end) {
    field f = {.start = s};
    if (s < end && *s == '"') {
        f.is_quoted = true;
        f.start = ++s;
        // The closing quote exists, otherwise this would not be a complete row.
        while ((s = memchr(s, '"', (size_t)(end - s))) != NULL && s + 1 < end && s[1] == '"') {
            f.has_doubled = true;
            s += 2;
        }
        f.end = s != NULL ? s++ : end;
        if (s == NULL) s = end;
        if (s < end && *s != r->separator)
            dlp_fail_at(L, reader, s, "behind the quote that closes a field something else follows");
        f.next = s < end ? s + 1 : NULL;
        return f;
    }
    const char *separator = find_near(s, r->separator, end);
    f.end = separator != NULL ? separator : end;
    f.next = separator != NULL ? separator + 1 : NULL;
    return f;
}

static void push_text(lua_State *L, const field *f) {
    if (!f->has_doubled) {
        lua_pushlstring(L, f->start, (size_t)(f->end - f->start));
        return;
    }
    luaL_Buffer buffer;
    char *to = luaL_buffinitsize(L, &buffer, (size_t)(f->end - f->start)), *start = to;
    // Of two quotes in a row, only the first is kept.
    for (const char *s = f->start, *quote; s < f->end; s = quote + 1) {
        quote = memchr(s, '"', (size_t)(f->end - s));
        if (quote == NULL) quote = f->end;
        else quote++;
        to = mempcpy(to, s, (size_t)(quote - s));
    }
    luaL_pushresultsize(&buffer, (size_t)(to - start));
}

static bool is_word(const char *s, const char *end, const char *word) {
    return strlen(word) == (size_t)(end - s) && strncasecmp(s, word, (size_t)(end - s)) == 0;
}

/// Pushes the number in the text from `s` to `end`. It may be a JSON number, have leading zeros, lack the digits on one side
/// of the point, be infinite, or NaN. Returns false for anything else.
static bool push_number(lua_State *L, const char *s, const char *end) {
    bool is_signed = s < end && (*s == '+' || *s == '-');
    const char *digits = s + is_signed, *place, *behind;
    if (digits == end) return false;
    if (*digits != '+' && *s != '+' && (behind = dlp_push_number(L, s, &place)) != NULL) {
        if (behind == end) return true;
        lua_pop(L, 1);
    }
    bool is_integer = true;
    for (const char *c = digits; c < end; c++) {
        if (*c < '0' || *c > '9') is_integer = false;
        if (strchr("xXpP(", *c) != NULL) return false;
    }
    if (is_integer) {
        while (digits + 1 < end && *digits == '0') digits++;
        if (dlp_push_number(L, digits, &place) != end) return false;
        if (*s != '-') return true;
        // A number of 20 digits has become a float.
        if (lua_isinteger(L, -1)) lua_pushinteger(L, -lua_tointeger(L, -1));
        else lua_pushnumber(L, -lua_tonumber(L, -1));
        lua_remove(L, -2);
        return true;
    }
    char *stop;
    double value = dlp_to_double(s, &stop);
    if (stop != end) return false;
    lua_pushnumber(L, value);
    return true;
}

static bool push_boolean(lua_State *L, const char *s, const char *end) {
    bool is_true = is_word(s, end, "true") || is_word(s, end, "1") || is_word(s, end, "yes");
    if (!is_true && !is_word(s, end, "false") && !is_word(s, end, "0") && !is_word(s, end, "no")) return false;
    lua_pushboolean(L, is_true);
    return true;
}

/// Pushes a field whose type was not given: a number or a boolean in JSON's form, nil if it is empty, otherwise text.
static void push_guess(lua_State *L, const field *f) {
    const char *place, *s = f->start, *end = f->end;
    if (f->is_quoted) return push_text(L, f);
    if (s == end) return lua_pushnil(L);
    if (*s == '-' || (*s >= '0' && *s <= '9')) {
        const char *behind = dlp_push_number(L, s, &place);
        if (behind == end) return;
        if (behind != NULL) lua_pop(L, 1);
    } else if (end - s == 4 && memcmp(s, "true", 4) == 0) {
        return lua_pushboolean(L, 1);
    } else if (end - s == 5 && memcmp(s, "false", 5) == 0) {
        return lua_pushboolean(L, 0);
    }
    push_text(L, f);
}

/// Pushes the value of a field whose column has the type `type`.
static void push_value(lua_State *L, int reader, const field *f, char type, int column) {
    const char *s = f->start, *end = f->end;
    if (type == 's') return push_text(L, f);
    if (type == 'a') return push_guess(L, f);
    while (s < end && (*s == ' ' || *s == '\t')) s++;
    while (end > s && (end[-1] == ' ' || end[-1] == '\t')) end--;
    if (s == end) return lua_pushnil(L);
    if (type == 'b' && push_boolean(L, s, end)) return;
    if (type != 'b' && push_number(L, s, end)) {
        int is_whole;
        lua_Integer whole = lua_tointegerx(L, -1, &is_whole);
        if (type == 'n') return;
        lua_pop(L, 1);
        if (is_whole) return lua_pushinteger(L, whole);
    }
    lua_getiuservalue(L, reader, reader_columns);
    if (lua_istable(L, -1)) lua_rawgeti(L, -1, column);
    else lua_pushinteger(L, column);
    lua_pushlstring(L, f->start, f->end - f->start > 40 ? 40 : (size_t)(f->end - f->start));
    const char *kind = type == 'b' ? "true or false" : type == 'i' ? "a whole number" : "a number";
    dlp_fail_at(L, reader, f->start, "column %s: \"%s\" is not %s", lua_tostring(L, -2), lua_tostring(L, -1), kind);
}

// MARK: Rows

/// Replaces the table of types on top by a string of their letters, in the order of the columns. `columns` is the index of
/// the names, or 0.
static void order_types(lua_State *L, int reader, dlp_reader *r, int columns) {
    luaL_Buffer buffer;
    int types = lua_gettop(L), ordered = 0, given = 0;
    char *letters = luaL_buffinitsize(L, &buffer, (size_t)r->columns);
    for (int i = 1; i <= r->columns; i++) {
        if (columns > 0) lua_rawgeti(L, columns, i);
        else lua_pushinteger(L, i);
        lua_rawget(L, types);
        bool is_given = lua_type(L, -1) == LUA_TSTRING;
        letters[i - 1] = is_given ? *lua_tostring(L, -1) : 's';
        ordered += is_given;
        lua_pop(L, 1);
    }
    luaL_pushresultsize(&buffer, (size_t)r->columns);
    for (lua_pushnil(L); lua_next(L, types); lua_pop(L, 1)) given++;
    lua_replace(L, types);
    if (given > ordered) {
        r->is_over = true;
        lua_getiuservalue(L, reader, reader_types);
        for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
            bool is_there = false;
            for (int i = 1; i <= r->columns && !is_there; i++) {
                if (columns > 0) lua_rawgeti(L, columns, i);
                else lua_pushinteger(L, i);
                is_there = lua_rawequal(L, -1, -3);
                lua_pop(L, 1);
            }
            if (is_there) continue;
            lua_pop(L, 1);
            const char *name = luaL_tolstring(L, -1, NULL);
            dlp_fail_at(L, reader, r->bytes + r->record, "types names a column %s, which is not there", name);
        }
    }
}

/// Determines the number and the types of the columns by the first row.
static void set_columns(lua_State *L, int reader, dlp_reader *r, int count, int columns) {
    r->columns = count;
    r->is_header_read = true;
    lua_getiuservalue(L, reader, reader_types);
    if (!lua_istable(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    order_types(L, reader, r, columns);
    lua_setiuservalue(L, reader, reader_types);
}

static void read_header(lua_State *L, int reader, dlp_reader *r, const char *s, const char *end) {
    lua_newtable(L);
    lua_newtable(L);
    int names = lua_gettop(L) - 1, seen = names + 1, count = 0;
    do {
        field f = take_field(L, reader, r, s, end);
        if (!f.is_quoted && memchr(s, '\r', (size_t)(f.end - s)) != NULL)
            dlp_fail_at(L, reader, s, "a carriage return in the header; lines end with a line feed (dos2unix -c mac)");
        push_text(L, &f);
        lua_pushvalue(L, -1);
        if (lua_rawget(L, seen) != LUA_TNIL)
            dlp_fail_at(L, reader, s, "the column \"%s\" is there twice", lua_tostring(L, -2));
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushboolean(L, 1);
        lua_rawset(L, seen);
        lua_rawseti(L, names, ++count);
        s = f.next;
    } while (s != NULL);
    lua_pop(L, 1);
    set_columns(L, reader, r, count, names);
    lua_setiuservalue(L, reader, reader_columns);
}

static int count_fields(lua_State *L, int reader, const dlp_reader *r, const char *s, const char *end) {
    int count = 0;
    for (; s != NULL; count++) s = take_field(L, reader, r, s, end).next;
    return count;
}

static void fail_ragged(lua_State *L, int reader, const dlp_reader *r, const char *s, const char *end) {
    int count = count_fields(L, reader, r, s, end);
    const char *remedy = count < r->columns ? "; in dlp.csv ragged = \"fill\" takes what is missing for empty" : "";
    dlp_fail_at(
        L, reader, s, "this row has %d field%s, %s %d%s", count, count == 1 ? "" : "s",
        r->has_header ? "the header" : "the first", r->columns, remedy);
}

bool dlp_push_row(lua_State *L, int reader) {
    dlp_reader *r = lua_touserdata(L, reader);
    const char *row = r->bytes + r->record, *end = r->bytes + r->record_end, *s = row;
    if (end > s && end[-1] == '\r') end--;
    if (s == end) return false;
    if (!r->is_header_read) {
        if (r->has_header) {
            r->is_over = true;
            read_header(L, reader, r, s, end);
            r->is_over = false;
            return false;
        }
        set_columns(L, reader, r, count_fields(L, reader, r, s, end), 0);
    }
    int columns = r->columns;
    // Room for the names of the columns, the row, at most two strings in between, and a message.
    lua_getiuservalue(L, reader, reader_columns);
    lua_getiuservalue(L, reader, reader_types);
    const char *types = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : NULL;
    lua_createtable(L, r->has_header ? 0 : columns, r->has_header ? columns : 0);
    int names = lua_gettop(L) - 2, table = names + 2;
    char usual = r->is_auto ? 'a' : 's';
    for (int i = 1; s != NULL; i++) {
        field f = take_field(L, reader, r, s, end);
        if (i > columns && (r->has_header || !r->fills)) fail_ragged(L, reader, r, row, end);
        if (r->has_header) lua_rawgeti(L, names, i);
        push_value(L, reader, &f, types != NULL && i <= columns ? types[i - 1] : usual, i);
        if (r->has_header) lua_rawset(L, table);
        else lua_rawseti(L, table, i);
        s = f.next;
        if (s != NULL || i >= columns) continue;
        if (!r->fills) fail_ragged(L, reader, r, row, end);
        const field empty = {.start = "", .end = ""};
        for (int missing = i + 1; missing <= columns; missing++) {
            if (r->has_header) lua_rawgeti(L, names, missing);
            push_value(L, reader, &empty, types != NULL ? types[missing - 1] : usual, missing);
            if (r->has_header) lua_rawset(L, table);
            else lua_rawseti(L, table, missing);
        }
    }
    lua_replace(L, names);
    lua_settop(L, names);
    return true;
}
