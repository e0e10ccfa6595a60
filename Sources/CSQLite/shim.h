// SQLite as the distribution ships it.
#include <sqlite3.h>

// Turns off SQLite's count of the memory that it uses, which is not needed, and takes a mutex at each allocation. To be
// called before any other function of SQLite. Swift cannot import functions with a variable number of arguments.
static inline int dlp_sqlite_configure(void) { return sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); }

// SQLITE_TRANSIENT is a pointer made of -1, which Swift cannot import: SQLite copies what is bound.
static inline int dlp_sqlite_bind_text(sqlite3_stmt *statement, int index, const char *text, sqlite3_uint64 count) {
    return sqlite3_bind_text64(statement, index, text, count, SQLITE_TRANSIENT, SQLITE_UTF8);
}
