// The data of one Lua state, for the C files of this folder.
#pragma once

#include "CLuaHost.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/// The state used to seed math.random; see random.c.
typedef struct {
    /// The state of math.random, or NULL if it is not in the expected place; and math.randomseed.
    uint64_t *words;
    int seed_reference;
    /// The latest seed, and the generator's state that follows from it.
    lua_Integer first, second;
    uint64_t seeded[4];
    /// The seed of the current call from the host, and how many such calls there were.
    lua_Integer called_first, called_second, calls;
    /// For each bit of the second part of a seed, the bits that it changes in the generator's state.
    uint64_t columns[64][4];
} random_seeder;

/// A small block of memory that Lua does not use now; and the number of sizes for which there are lists of such blocks.
typedef struct free_block {
    struct free_block *next;
} free_block;
enum { free_sizes = 17 };

/// The record of what examples enter; see track.c.
typedef struct tracker tracker;

/// Each coroutine of a state has a pointer to this in its extra space.
typedef struct {
    /// The Swift function that the module's functions call, and its context, which identifies the calling state.
    dlp_function dispatcher;
    void *context;
    /// Lua's own `print`, and how often our replacement was called.
    lua_CFunction print;
    uint64_t prints;
    /// The traceback of the last error, or NULL.
    char *traceback;
    /// The description of the loop's element at which the last error came, or NULL; and the function, in the registry, that
    /// describes it.
    char *element;
    int describer;
    random_seeder random;
    /// Whether tables have the layout in memory that tables.c expects.
    bool sees_tables;

    // memory.c
    lua_State *main;
    /// Bytes in use, and the limit for Lua code (0: no limit).
    size_t memory_used, memory_limit;
    /// Whether the limit applies: Lua code is running, not Swift code, which must not see an allocation fail.
    bool is_bound;
    /// Free blocks by size, and their total in bytes.
    free_block *free_blocks[free_sizes];
    size_t free_bytes;

    // interruption.c
    /// The thread that runs the state, and the state that this thread made before it.
    pthread_t thread;
    lua_State *previous;
    /// The coroutine that runs.
    lua_State *volatile running;
    /// The job is over: no more code may run.
    atomic_bool is_over;
    /// Counts the beginnings and ends of examples, so it is odd while an example is running. Then the index of the running
    /// example, and the count of the example whose time is up.
    atomic_uint_fast64_t example_count;
    atomic_llong example_index;
    atomic_uint_fast64_t late_count;
    /// The time of the running example is up. Written only by the thread that runs the state.
    volatile sig_atomic_t is_late;
    char late_message[96];
    /// The running example is an element of one of the module's loops; and it is in the body of a loop, where nothing catches
    /// errors.
    bool is_element, is_body;
    /// An example has lost the program for which it waited.
    bool is_cut_short;

    // track.c
    /// NULL while examples are not recorded.
    tracker *tracker;

    // programs.c
    /// The programs that the script has started and not yet waited for, or 0, and the numbers of their examples. Programs
    /// beyond these slots are not known.
    struct {
        _Atomic pid_t process;
        atomic_uint_fast64_t example;
    } programs[program_slots];
} host;

/// For functions that a signal handler calls. The handler may have interrupted a sanitizer's own code, which must not be
/// entered again.
#if __has_feature(thread_sanitizer)
#define IN_HANDLER __attribute__((disable_sanitizer_instrumentation))
#else
#define IN_HANDLER
#endif

IN_HANDLER static inline host *host_of(lua_State *L) { return *(host **)lua_getextraspace(L); }

/// The key in the registry of an error that is raised again.
extern const char dlp_raised_again;

/// Finds out whether tables have the layout that tables.c expects. May raise; returns no results.
int dlp_open_tables(lua_State *L);

/// Makes the allocator of a new state keep to the limit.
void dlp_count_memory(lua_State *L);

/// Gives back to malloc the blocks that Lua does not use; returns false if there are none.
bool dlp_free_blocks(host *h);

/// Allows the interruption of a new state; and ends it for a state that is about to be closed.
void dlp_open_interruption(lua_State *L);
void dlp_close_interruption(lua_State *L);

/// Notes that `co` runs from now on, and makes it fail if the running code is to fail.
void dlp_switch_to(lua_State *co);

/// Replaces the functions of the library `coroutine` that switch between coroutines. May raise.
void dlp_open_coroutines(lua_State *L);

/// Blocks the signal by which another thread makes Lua code fail; `*previous` becomes the mask from before.
void dlp_block_interruption(sigset_t *previous);

/// Whether the state's Lua code is to fail, which happens at its next instruction.
bool dlp_is_to_fail(host *h);

/// Whether the time of the running example is up, even if the state has not noticed it yet.
bool dlp_is_expired(host *h);

/// Whether this process was told to end by a signal.
bool dlp_is_told(void);

/// Notes that the running code has lost a program to such a signal. An example then fails; other code waits for the end.
void dlp_cut_short(lua_State *L);

/// Records a program that the script has started, so that it can be ended with its example; and removes it when it has ended,
/// before its number can be reused for another process. The latter returns the number of the program's example, or 0.
void dlp_note_program(lua_State *L, pid_t program);
uint64_t dlp_forget_program(host *h, pid_t program);

/// Whether `signal` has ended a program and was sent to this process as well.
bool dlp_was_meant_for_all(const host *h, int signal);

/// The signal that ended a program with this wait status, even if its shell survived and reports it; 0 or negative if none.
int dlp_signal_of(int status);

/// Pushes a table of the functions of dlp.coprocess; see coprocess.c. May raise; returns 1.
int dlp_open_coprocess(lua_State *L);

/// os.execute and io.popen; see programs.c.
int dlp_execute(lua_State *L);
int dlp_popen(lua_State *L);
