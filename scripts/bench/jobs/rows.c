/* Measures what SQLite alone takes to keep results. It inserts the rows of a journal of results.lua one by one with a
   prepared statement, with one transaction per second, and does nothing else. rows FILE COUNT */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static sqlite3 *database;

static void check(int code)
{
    if (code == SQLITE_OK || code == SQLITE_DONE) return;
    fprintf(stderr, "rows: %s\n", sqlite3_errmsg(database));
    exit(1);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void run(const char *sql) { check(sqlite3_exec(database, sql, NULL, NULL, NULL)); }

int main(int argc, char **argv)
{
    if (argc != 3) return 2;
    long count = atol(argv[2]);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    check(sqlite3_open_v2(
        argv[1], &database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL));
    /* The same settings as for dlp-lua's journal. */
    run("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 16384");
    run("CREATE TABLE results (id INTEGER PRIMARY KEY, example INTEGER, digest BLOB NOT NULL, occurrence INTEGER NOT NULL, "
        "state TEXT NOT NULL, result BLOB, json TEXT, seconds REAL, rank INTEGER, host TEXT, attempts INTEGER, error TEXT, "
        "traceback TEXT, finished TEXT, cpu REAL, input TEXT, checksum INTEGER, stage TEXT, started TEXT, peak INTEGER, "
        "version INTEGER)");
    sqlite3_stmt *insert;
    check(sqlite3_prepare_v2(
        database,
        "INSERT INTO results VALUES (?1, ?1, ?2, 0, 'done', ?3, ?4, 1e-6, 0, 'a-host-name', 1, NULL, NULL, "
        "'2026-01-01T00:00:00.000Z', 1e-6, ?5, ?6, NULL, '2026-01-01T00:00:00.000Z', 10000000, 1)", -1, &insert, NULL));
    double begin = now(), committed = begin;
    run("BEGIN IMMEDIATE");
    for (long row = 1; row <= count; row++) {
        unsigned char digest[16], result[9] = {0xfb};
        char json[32], input[32];
        double value = 0.5 * (double)row;
        unsigned long mixed = (unsigned long)row * 0x9E3779B97F4A7C15u;
        memcpy(digest, &mixed, 8);
        memcpy(digest + 8, &row, 8);
        memcpy(result + 1, &value, 8);
        int json_length = row % 2 ? sprintf(json, "%ld.5", row / 2) : sprintf(json, "%ld.0", row / 2);
        int input_length = sprintf(input, "%ld", row);
        sqlite3_bind_int64(insert, 1, row);
        sqlite3_bind_blob(insert, 2, digest, sizeof digest, SQLITE_STATIC);
        sqlite3_bind_blob(insert, 3, result, sizeof result, SQLITE_STATIC);
        sqlite3_bind_text(insert, 4, json, json_length, SQLITE_STATIC);
        sqlite3_bind_text(insert, 5, input, input_length, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 6, (sqlite3_int64)(mixed >> 2));
        check(sqlite3_step(insert));
        check(sqlite3_reset(insert));
        if (row % 1024 == 0 && now() - committed > 1) {
            run("COMMIT; BEGIN IMMEDIATE");
            committed = now();
        }
    }
    run("COMMIT");
    sqlite3_finalize(insert);
    check(sqlite3_close(database));
    printf("{\"seconds\": %.6f}\n", now() - begin);
    return 0;
}
