// SQLite as the distribution ships it.
#include <sqlite3.h>

// SQLITE_TRANSIENT is a pointer made of -1, which Swift cannot import: SQLite copies what is bound.
static inline int dlp_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, index, text, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}

static inline int dlp_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, sqlite3_uint64 count) {
    return sqlite3_bind_blob64(statement, index, bytes, count, SQLITE_TRANSIENT);
}
