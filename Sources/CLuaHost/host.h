// What belongs to one Lua state, for the C files here.
#pragma once

#include "CLuaHost.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

/// What seeds math.random; see random.c.
typedef struct {
    /// The state of math.random, or NULL where it is not where we expect it; and math.randomseed.
    uint64_t *words;
    int seed_reference;
    /// The latest seed, and the state that it gives.
    lua_Integer first, second;
    uint64_t seeded[4];
    /// The seed of what the host calls at present, and how many such calls there were.
    lua_Integer called_first, called_second, calls;
    /// What each bit of the second part of a seed changes in that state.
    uint64_t columns[64][4];
} random_seeder;

/// A small block of memory that Lua does not use at present, and of how many sizes there are lists of them.
typedef struct free_block {
    struct free_block *next;
} free_block;
enum { free_sizes = 17 };

/// What examples enter; see track.c.
typedef struct tracker tracker;

/// Every coroutine of a state has a pointer to it in its extra space.
typedef struct {
    /// What functions of the module call in Swift, and what that gets to know which state called.
    dlp_function dispatcher;
    void *context;
    /// Lua's own `print`, and how often ours was called.
    lua_CFunction print;
    uint64_t prints;
    /// The traceback of the last error, or NULL.
    char *traceback;
    /// What of a loop the script was at when that came, or NULL; and a function that says so, in the registry.
    char *element;
    int describer;
    random_seeder random;
    /// Whether tables lie in memory as tables.c expects.
    bool sees_tables;

    // memory.c
    lua_State *main;
    /// Bytes in use, and how many Lua code may make them (0: no limit).
    size_t memory_used, memory_limit;
    /// Whether Lua code runs, rather than Swift code that must not see it fail.
    bool is_bound;
    /// By size, and how many bytes they are together.
    free_block *free_blocks[free_sizes];
    size_t free_bytes;

    // interruption.c
    /// The thread that runs the state, and the state that it had made before.
    pthread_t thread;
    lua_State *previous;
    /// The coroutine that runs.
    lua_State *volatile running;
    /// The job is over: nothing runs any more.
    atomic_bool is_over;
    /// Counts beginnings and ends of examples, so that it is odd while one is under way; which one that is; and the
    /// count of the one whose time is up.
    atomic_uint_fast64_t example_count;
    atomic_llong example_index;
    atomic_uint_fast64_t late_count;
    /// The time of the example under way is up; written by the thread that runs it only.
    volatile sig_atomic_t is_late;
    char late_message[96];
    /// The example under way is an element of a loop of the module, and one in the body of a loop, which nothing catches.
    bool is_element, is_body;
    /// An example has lost the program that it waited for.
    bool is_cut_short;

    // track.c
    /// NULL where nothing is noted of examples.
    tracker *tracker;

    // programs.c
    /// The programs that the script has started and not waited for yet, or 0, and the numbers of their examples; more are not
    /// known.
    struct {
        _Atomic pid_t process;
        atomic_uint_fast64_t example;
    } programs[program_slots];
} host;

/// What a signal handler calls, which may have interrupted a sanitizer's own code: that does not bear it.
#if __has_feature(thread_sanitizer)
#define IN_HANDLER __attribute__((disable_sanitizer_instrumentation))
#else
#define IN_HANDLER
#endif

IN_HANDLER static inline host *host_of(lua_State *L) { return *(host **)lua_getextraspace(L); }

/// Where in the registry an error is that is raised again.
extern const char dlp_raised_again;

/// Finds out whether tables lie in memory as tables.c expects. May raise; returns no results.
int dlp_open_tables(lua_State *L);

/// Lets the allocator of a new state keep to the limit.
void dlp_count_memory(lua_State *L);

/// Gives the blocks that Lua does not use back to malloc; false where there are none.
bool dlp_free_blocks(host *h);

/// Lets a new state be interrupted from now on, and one that is about to be closed no more.
void dlp_open_interruption(lua_State *L);
void dlp_close_interruption(lua_State *L);

/// Notes that `co` runs from now on, and makes it fail where what runs is to fail.
void dlp_switch_to(lua_State *co);

/// Replaces those functions of the library `coroutine` that switch between coroutines. May raise.
void dlp_open_coroutines(lua_State *L);

/// Blocks the signal by which another thread makes Lua code fail; `*previous` becomes the mask from before.
void dlp_block_interruption(sigset_t *previous);

/// Whether the Lua code of the state is to fail, as it will at its next instruction.
bool dlp_is_to_fail(host *h);

/// Whether the time of the example under way is up, which the state may not have noticed yet.
bool dlp_is_expired(host *h);

/// Whether this process was told to end by a signal.
bool dlp_is_told(void);

/// Says that what runs has lost a program to such a signal: an example fails, anything else waits for the end.
void dlp_cut_short(lua_State *L);

/// Notes a program that the script has started, so that it can be ended with its example; and that it has ended, before its
/// number can go to another process: returns the number of its example, or 0.
void dlp_note_program(lua_State *L, pid_t program);
uint64_t dlp_forget_program(host *h, pid_t program);

/// Whether `signal` has ended a program, and was meant for this process as well.
bool dlp_was_meant_for_all(const host *h, int signal);

/// The signal that ended a program with this wait status, also where its shell lived on and says so; or none.
int dlp_signal_of(int status);

/// Pushes a table of what dlp.coprocess is made of; see coprocess.c. May raise; returns 1.
int dlp_open_coprocess(lua_State *L);

/// os.execute and io.popen; see programs.c.
int dlp_execute(lua_State *L);
int dlp_popen(lua_State *L);
