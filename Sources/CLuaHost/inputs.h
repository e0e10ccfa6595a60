// Declarations shared by the readers of data files, JSON and CSV.
#pragma once

#include "host.h"

#include <locale.h>

/// How deep JSON may be nested: as deep as our own writer's limit.
enum { json_depth = 10000 };

/// Pushes the value of a JSON text, which must be followed by a NUL byte.
///
/// Returns NULL, or what is wrong with the text, with the position in `*place`; then any values may be on the stack. May
/// raise for lack of memory. [-0, +1]
const char *dlp_push_json(lua_State *L, const char *text, size_t count, const char **place);

/// The same for a program's answer: with NaN, Infinity and -Infinity, and with strings of any bytes. [-0, +1]
const char *dlp_push_answer(lua_State *L, const char *text, size_t count, const char **place);

/// Pushes what is wrong at `place` in a text up to `end`; where something else was expected, with the text that is there.
/// [-0, +1]
void dlp_push_complaint(lua_State *L, const char *complaint, const char *place, const char *end);

/// Pushes the number at the beginning of a text, which must be followed by another character or NUL. It becomes an integer if
/// it is one of 64 bits. Returns where it ends; or NULL if there is none, with `*place` where a digit should be. [-0, +(0|1)]
const char *dlp_push_number(lua_State *L, const char *text, const char **place);

/// Like strtod, with a decimal point in any locale that the script may have set.
double dlp_to_double(const char *text, char **end);

/// Returns the first byte that is not UTF-8, or NULL.
const char *dlp_find_invalid_utf8(const char *text, const char *end);

// MARK: Files

/// A file that is read record by record.
typedef struct {
    /// Negative if the file is not open.
    int descriptor;
    dlp_input format;
    /// The bytes that were read: the current record begins at `start`, and everything up to `scanned` has been searched.
    char *bytes;
    size_t capacity, count, start, scanned;
    /// Whether the beginning has been checked for a byte order mark.
    bool is_begun;
    /// Whether a record is being read, and whether the reader is to be closed after that. A finalizer of the script may run
    /// at any allocation.
    bool is_busy, is_to_close;
    /// Nothing comes after the bytes that were read; and the reader has nothing more to return.
    bool is_at_end, is_over;
    /// The place of a record, once it is found, without its end marker.
    size_t record, record_end;
    /// The line at which it begins, the line after it, and how many records there were.
    uint64_t line, next_line;
    lua_Integer records;

    // csv.c
    char separator;
    bool has_header, fills, is_auto, is_header_read;
    enum { at_field, in_field, in_quotes, behind_quote } place;
    /// The beginning of the last quoted field, relative to `start`.
    size_t quote;
    bool has_quotes;
    int columns;
} dlp_reader;

/// The values that a reader, a userdata, keeps in Lua: its file's name; the names of the columns; the letters of their types,
/// by column. Until the header is read, the last is a table of letters by name.
enum { reader_name = 1, reader_columns, reader_types, reader_values = reader_types };

typedef enum { found_record, found_end, found_nothing } dlp_found;

/// Finds the next record. Returns nothing, if `waits` is false and the record is not complete yet. Raises errors of the file.
dlp_found dlp_find_record(lua_State *L, int reader, bool waits);

/// Makes the reader begin with bytes that were read before.
void dlp_take_ahead(lua_State *L, int reader, const void *bytes, size_t count);

/// Closes the file and frees what was read.
void dlp_close_reader(lua_State *L, dlp_reader *r);

/// Continues to search for the end of a row; returns false if all bytes that are there have been searched.
bool dlp_find_row(dlp_reader *r);

/// Pushes the row that was found, as a table; returns false, and pushes nothing, if it was the header or empty. [-0, +(0|1)]
bool dlp_push_row(lua_State *L, int reader);

/// Raises an error at a place in the bytes that were read; if `place` is NULL, an error of the file, whose message goes on
/// after the file's name. It is formatted as by lua_pushfstring.
_Noreturn void dlp_fail_at(lua_State *L, int reader, const char *place, const char *format, ...);
