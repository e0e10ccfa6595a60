#include "inputs.h"

#include <math.h>
#include <string.h>

// JSON (RFC 8259) onto the Lua stack.
//
// Nothing recurses. Each open array or object has two places on the Lua stack: itself, and the index or key of its next
// value. The index is an integer; it becomes a float once the array contains a null.

typedef struct {
    lua_State *L;
    const char *next, *end;
    /// Whether the text is a program's answer, which may contain named numbers and any bytes.
    bool is_answer;
    /// How many arrays and objects are open.
    int depth;
    /// By depth: the entries of the current object, and the sizes of the last array and the last object there. The objects
    /// of a file are mostly alike, and a table that is created with its final size need not grow.
    unsigned entries[16], arrays[16], objects[16];
} parser;

enum { roomiest = 64 };

static inline void skip_space(parser *p) {
    while (*p->next == ' ' || *p->next == '\n' || *p->next == '\r' || *p->next == '\t') p->next++;
}

// MARK: Strings

static const uint64_t ones = 0x0101010101010101u;

/// Whether none of eight bytes is a quote, a backslash, a control character or above 0x7f.
static inline bool are_plain(const char *s) {
    uint64_t eight;
    memcpy(&eight, s, sizeof eight);
    uint64_t quote = eight ^ ones * '"', backslash = eight ^ ones * '\\';
    return (((quote - ones) | (backslash - ones) | (eight - ones * 0x20) | eight) & ones * 0x80) == 0;
}

/// The value of four hexadecimal digits, or -1.
static int hexadecimal(const char *s, const char *end) {
    if (end - s < 4) return -1;
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

static char *put_utf8(char *to, unsigned code) {
    if (code < 0x80) {
        *to++ = (char)code;
        return to;
    }
    int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char heads[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (char)(heads[more] | code >> 6 * more);
    while (more-- > 0) *to++ = (char)(0x80 | (code >> 6 * more & 0x3f));
    return to;
}

/// Writes the character of the escape at `*from`, and advances past it; or returns what is wrong.
static const char *unescape(const char **from, const char *end, char **to) {
    const char *s = *from + 1;
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *letter = *s != 0 ? strchr(letters, *s) : NULL;
    if (letter != NULL) {
        *(*to)++ = meanings[letter - letters];
        *from = s + 1;
        return NULL;
    }
    if (*s != 'u') return "an escape that JSON does not have";
    int code = hexadecimal(s + 1, end);
    if (code < 0) return "\\u needs four hexadecimal digits";
    s += 5;
    if (code >= 0xd800 && code < 0xe000) {
        int low = code < 0xdc00 && s < end && s[0] == '\\' && s[1] == 'u' ? hexadecimal(s + 2, end) : -1;
        if (low < 0xdc00 || low >= 0xe000) return "half of a surrogate pair";
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        s += 6;
    }
    *to = put_utf8(*to, (unsigned)code);
    *from = s;
    return NULL;
}

/// Pushes the string up to `end`, which contains escapes.
static const char *push_unescaped(parser *p, const char *end) {
    luaL_Buffer buffer;
    // No escape is shorter than its character, so this room is enough.
    char *start = luaL_buffinitsize(p->L, &buffer, (size_t)(end - p->next)), *to = start;
    const char *complaint = NULL;
    while (p->next < end && complaint == NULL) {
        const char *escape = memchr(p->next, '\\', (size_t)(end - p->next));
        size_t plain = (size_t)((escape != NULL ? escape : end) - p->next);
        memcpy(to, p->next, plain);
        to += plain;
        p->next += plain;
        if (escape != NULL) complaint = unescape(&p->next, end, &to);
    }
    luaL_pushresultsize(&buffer, (size_t)(to - start));
    return complaint;
}

/// Pushes the string that begins after the quote.
static const char *push_string(parser *p) {
    const char *s = p->next;
    bool is_escaped = false;
    unsigned char high = 0;
    for (;;) {
        while (p->end - s >= 8 && are_plain(s)) s += 8;
        while ((unsigned char)*s >= 0x20 && *s != '"' && *s != '\\') high |= (unsigned char)*s++;
        if (*s == '"') break;
        if (*s != '\\') {
            if (s >= p->end) {
                p->next--;
                return "a string that never ends";
            }
            p->next = s;
            return "a control character in a string, where it must be escaped";
        }
        is_escaped = true;
        // A NUL comes after the last character of the text.
        s += s + 1 < p->end ? 2 : 1;
    }
    if (high & 0x80 && !p->is_answer) {
        const char *invalid = dlp_find_invalid_utf8(p->next, s);
        if (invalid != NULL) {
            p->next = invalid;
            return "bytes that are not UTF-8";
        }
    }
    if (is_escaped) {
        const char *complaint = push_unescaped(p, s);
        if (complaint != NULL) return complaint;
    } else {
        lua_pushlstring(p->L, p->next, (size_t)(s - p->next));
    }
    p->next = s + 1;
    return NULL;
}

// MARK: Arrays and objects

static const char *push_key(parser *p) {
    skip_space(p);
    if (*p->next != '"') return "expected a key in quotes";
    p->next++;
    const char *complaint = push_string(p);
    if (complaint != NULL) return complaint;
    skip_space(p);
    if (*p->next != ':') return "expected ':'";
    p->next++;
    return NULL;
}

/// Begins the array or object whose bracket was read; sets `*is_empty` if it has also ended.
static const char *open_container(parser *p, bool is_object, bool *is_empty) {
    lua_State *L = p->L;
    if (p->depth == json_depth) return "it is nested deeper than 10000 levels";
    // Two places for each container, and some for temporary values.
    luaL_checkstack(L, 8, "JSON nested too deep");
    unsigned d = (unsigned)p->depth++ % 16;
    skip_space(p);
    *is_empty = *p->next == (is_object ? '}' : ']');
    if (*is_empty) {
        p->next++;
        p->depth--;
        lua_createtable(L, 0, 0);
        return NULL;
    }
    lua_createtable(L, is_object ? 0 : (int)p->arrays[d], is_object ? (int)p->objects[d] : 0);
    if (is_object) {
        p->entries[d] = 0;
        return push_key(p);
    }
    lua_pushinteger(L, 1);
    return NULL;
}

/// Ends the innermost array or object. Its index or key has already been removed from the stack.
static void close_container(parser *p, unsigned *sizes, unsigned size) {
    p->depth--;
    sizes[p->depth % 16] = size < roomiest ? size : roomiest;
}

/// Stores the value on top as the next element of an array; sets `*is_complete` if the array ends here.
static const char *store_element(parser *p, bool *is_complete) {
    lua_State *L = p->L;
    lua_Integer index = lua_tointeger(L, -2);
    bool has_holes = !lua_isinteger(L, -2);
    if (lua_isnil(L, -1)) {
        has_holes = true;
        lua_pop(L, 1);
    } else {
        lua_rawseti(L, -3, index);
    }
    lua_pop(L, 1);
    skip_space(p);
    if (*p->next == ',') {
        p->next++;
        if (has_holes) lua_pushnumber(L, (lua_Number)(index + 1));
        else lua_pushinteger(L, index + 1);
        return NULL;
    }
    if (*p->next != ']') return "expected ',' or ']'";
    p->next++;
    *is_complete = true;
    if (has_holes) {
        lua_pushinteger(L, index);
        lua_setfield(L, -2, "n");
    }
    close_container(p, p->arrays, (unsigned)(index < roomiest ? index : roomiest));
    return NULL;
}

/// Stores the value on top under its key; sets `*is_complete` if the object ends here.
static const char *store_entry(parser *p, bool *is_complete) {
    lua_rawset(p->L, -3);
    unsigned d = (unsigned)(p->depth - 1) % 16;
    p->entries[d]++;
    skip_space(p);
    if (*p->next == ',') {
        p->next++;
        return push_key(p);
    }
    if (*p->next != '}') return "expected ',' or '}'";
    p->next++;
    *is_complete = true;
    close_container(p, p->objects, p->entries[d]);
    return NULL;
}

static bool take_word(parser *p, const char *word, size_t count) {
    if ((size_t)(p->end - p->next) < count || memcmp(p->next, word, count) != 0) return false;
    p->next += count;
    return true;
}

/// Pushes a number that is written as a name, or returns false.
static bool push_named(parser *p) {
    if (take_word(p, "NaN", 3)) lua_pushnumber(p->L, (lua_Number)NAN);
    else if (take_word(p, "Infinity", 8)) lua_pushnumber(p->L, (lua_Number)INFINITY);
    else if (take_word(p, "-Infinity", 9)) lua_pushnumber(p->L, -(lua_Number)INFINITY);
    else return false;
    return true;
}

/// Pushes the value that begins here, or begins a container; sets `*is_complete` if the value has also ended.
static const char *begin_value(parser *p, bool *is_complete) {
    skip_space(p);
    *is_complete = true;
    if (p->is_answer && push_named(p)) return NULL;
    switch (*p->next) {
    case '{':
    case '[': return open_container(p, *p->next++ == '{', is_complete);
    case '"': p->next++; return push_string(p);
    case 't':
        if (!take_word(p, "true", 4)) break;
        lua_pushboolean(p->L, 1);
        return NULL;
    case 'f':
        if (!take_word(p, "false", 5)) break;
        lua_pushboolean(p->L, 0);
        return NULL;
    case 'n':
        if (!take_word(p, "null", 4)) break;
        lua_pushnil(p->L);
        return NULL;
    case '-':
    case '0' ... '9': {
        const char *place, *end = dlp_push_number(p->L, p->next, &place);
        p->next = end != NULL ? end : place;
        return end != NULL ? NULL : "expected a digit";
    }
    }
    return "expected a value";
}

static const char *parse(parser *p) {
    bool is_complete;
    const char *complaint;
    do {
        complaint = begin_value(p, &is_complete);
        while (complaint == NULL && is_complete && p->depth > 0) {
            is_complete = false;
            bool is_element = lua_type(p->L, -2) == LUA_TNUMBER;
            complaint = is_element ? store_element(p, &is_complete) : store_entry(p, &is_complete);
        }
    } while (complaint == NULL && !is_complete);
    if (complaint != NULL) return complaint;
    skip_space(p);
    return p->next < p->end ? "expected nothing more" : NULL;
}

static const char *push(lua_State *L, const char *text, size_t count, bool is_answer, const char **place) {
    luaL_checkstack(L, 8, NULL);
    parser p = {.L = L, .next = text, .end = text + count, .is_answer = is_answer};
    if (count >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) p.next += 3;
    const char *complaint = parse(&p);
    *place = p.next;
    return complaint;
}

const char *dlp_push_json(lua_State *L, const char *text, size_t count, const char **place) {
    return push(L, text, count, false, place);
}

const char *dlp_push_answer(lua_State *L, const char *text, size_t count, const char **place) {
    return push(L, text, count, true, place);
}

void dlp_push_complaint(lua_State *L, const char *complaint, const char *place, const char *end) {
    if (strncmp(complaint, "expected", 8) != 0) {
        lua_pushstring(L, complaint);
    } else if (place >= end) {
        lua_pushfstring(L, "%s, and the text ends", complaint);
    } else if (*place > 0x20 && *place < 0x7f) {
        lua_pushfstring(L, "%s, got '%c'", complaint, *place);
    } else {
        lua_pushfstring(L, "%s, got byte %d", complaint, (int)(unsigned char)*place);
    }
}
