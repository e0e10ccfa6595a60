// What reads the data files of others, JSON and CSV, has in common.
#pragma once

#include "host.h"

#include <locale.h>

/// How deep JSON may be nested: as deep as ours is ever written.
enum { json_depth = 10000 };

/// Pushes the value that a JSON text is, behind which a NUL byte lies.
///
/// Returns NULL, or what is wrong with the text, and `*place` is where; then anything may lie on the stack. May raise for
/// want of memory. [-0, +1]
const char *dlp_push_json(lua_State *L, const char *text, size_t count, const char **place);

/// The same for what a program has answered: with NaN, Infinity and -Infinity, and strings of any bytes. [-0, +1]
const char *dlp_push_answer(lua_State *L, const char *text, size_t count, const char **place);

/// Pushes what is wrong at `place` in a text up to `end`, with what stands there where something else was expected.
/// [-0, +1]
void dlp_push_complaint(lua_State *L, const char *complaint, const char *place, const char *end);

/// Pushes the number at the beginning of a text in which something else follows, or NUL; an integer where it is one and
/// has 64 bits. Returns where it ends, or NULL where there is none; `*place` is then where a digit should be. [-0, +(0|1)]
const char *dlp_push_number(lua_State *L, const char *text, const char **place);

/// As strtod, with a point whatever the script has made the locale.
double dlp_to_double(const char *text, char **end);

/// The first byte that is not UTF-8, or NULL.
const char *dlp_find_invalid_utf8(const char *text, const char *end);

// MARK: Files

/// A file that is read record by record.
typedef struct {
    /// Negative where it is not open.
    int descriptor;
    dlp_input format;
    /// What has been read: the record under way from `start` on, looked at up to `scanned`.
    char *bytes;
    size_t capacity, count, start, scanned;
    /// Whether there is a byte order mark is known.
    bool is_begun;
    /// Whether a record is being read just now, and whether it is to be closed after that: a finalizer of the script may come at
    /// any allocation.
    bool is_busy, is_to_close;
    /// Nothing follows what has been read; and the reader has nothing more to give.
    bool is_at_end, is_over;
    /// Where a record is, once it is found: without what ends it.
    size_t record, record_end;
    /// The line at which it begins, that behind it, and how many records there were.
    uint64_t line, next_line;
    lua_Integer records;

    // csv.c
    char separator;
    bool has_header, fills, is_auto, is_header_read;
    enum { at_field, in_field, in_quotes, behind_quote } place;
    /// Where the last quoted field begins, from `start` on.
    size_t quote;
    bool has_quotes;
    int columns;
} dlp_reader;

/// What a reader, a userdata, keeps in Lua: its file's name; the names of the columns; the letters of their types, by column
/// once the header is read, before that a table of them by name.
enum { reader_name = 1, reader_columns, reader_types, reader_values = reader_types };

typedef enum { found_record, found_end, found_nothing } dlp_found;

/// Finds the next record; nothing, where `waits` is false, if it is not all there yet. Raises errors of the file.
dlp_found dlp_find_record(lua_State *L, int reader, bool waits);

/// Lets the reader begin with bytes that others have read.
void dlp_take_ahead(lua_State *L, int reader, const void *bytes, size_t count);

/// Closes the file and frees what was read.
void dlp_close_reader(lua_State *L, dlp_reader *r);

/// Looks on for the end of a row; false where all that is there has been looked at.
bool dlp_find_row(dlp_reader *r);

/// Pushes the row that was found, a table; false, and nothing, where it was the header or is empty. [-0, +(0|1)]
bool dlp_push_row(lua_State *L, int reader);

/// Raises an error at a place in what was read, or, where that is NULL, of the file: then the message goes on behind its
/// name. It is formatted as by lua_pushfstring.
_Noreturn void dlp_fail_at(lua_State *L, int reader, const char *place, const char *format, ...);
