// The C between Lua and Swift.
//
// An error in Lua is a longjmp, and a longjmp must not cross a Swift frame: it would run no `defer` and leak what the
// frame owns. So whatever can raise is called from Swift only through the functions here, which run it under lua_pcall,
// and a Swift function that Lua calls returns a status, for which the trampoline raises after the Swift frame is gone.
//
// Beside each function its stack effect, [-popped, +pushed], as in Lua's manual.
#pragma once

#include <lua.h>
#include <lualib.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: The state

/// A state with the standard libraries, or NULL where memory is short.
lua_State *dlp_new_state(void);

/// Closes the state and frees what belongs to it.
void dlp_close(lua_State *L);

// MARK: Calls from Lua into Swift

/// The name of the chunk that is the module's Lua code; no error is to be blamed on it.
#define DLP_MODULE_CHUNK "dlp"

/// What a Swift function returns beside the number of its results: raise the value on top of the stack; a string is
/// prefixed with the script's line.
static const int dlp_raise = -1;
/// Likewise: end the process; its status (an integer) and whether to close the state (a boolean) are on top of the stack.
static const int dlp_exit = -2;

/// A Swift function that Lua calls: number of results on top of the stack, `dlp_raise` or `dlp_exit`.
typedef int (*dlp_function)(void *context, lua_State *L, int number);

/// Sets which Swift function serves calls of `dlp_push_function`, and what it gets to know which state called.
void dlp_set_dispatcher(lua_State *L, dlp_function dispatcher, void *context);

/// Pushes a Lua function that calls the state's dispatcher with `number`. [-0, +1]
void dlp_push_function(lua_State *L, int number);

/// Pushes where the script is, as it stands before a message: the innermost line that is not the module's own Lua code.
/// [-0, +1]
void dlp_push_where(lua_State *L);

/// The number of that line, or 0. [-0, +0]
int dlp_line(lua_State *L);

// MARK: Protected calls from Swift into Lua

/// Calls the function below its `arguments` with a traceback kept for `dlp_traceback`. Returns a lua_pcall status.
/// [-(arguments + 1), +(results | 1)]
int dlp_call(lua_State *L, int arguments, int results);

/// Pushes the message handler that `dlp_call` uses. [-0, +1]
void dlp_push_handler(lua_State *L);

/// As `dlp_call`, with the message handler at index `handler`, or without one (0). [-(arguments + 1), +(results | 1)]
int dlp_call_handled(lua_State *L, int arguments, int results, int handler);

/// Pushes the main function of a chunk: text, bytecode or both, by `mode`; a status of Lua's. [-0, +1]
int dlp_load(lua_State *L, const char *text, size_t length, const char *name, const char *mode);

/// The traceback of the last error that the handler saw, or an empty string; valid until the next error.
const char *dlp_traceback(lua_State *L);

/// Pushes a Lua function that takes one which says, when an error comes, of which element of a loop the script is at work
/// (a string, or nil). [-0, +1]
void dlp_push_describer_setter(lua_State *L);

/// What that said at the last error that the handler saw, or an empty string; valid until the next error.
const char *dlp_element(lua_State *L);

/// Forgets it: an error for want of memory does not come by the handler.
void dlp_forget_element(lua_State *L);

/// The value as a string, as Lua's `tostring` has it, also where it has a metamethod that fails. [-0, +1]
void dlp_tostring(lua_State *L, int index);

/// Pushes `table[key]` with metamethods; a status of lua_pcall. [-0, +1]
int dlp_get(lua_State *L, int table, lua_Integer key);

/// Pushes `#value` with metamethods; a status of lua_pcall. [-0, +1]
int dlp_length(lua_State *L, int index);

/// Pushes the global `name`, also where the globals have a metatable; a status of lua_pcall. [-0, +1]
int dlp_get_global(lua_State *L, const char *name);

/// Pushes the table of the globals. [-0, +1]
void dlp_push_globals(lua_State *L);

/// Sets the global `name` to the value on top; a status of lua_pcall. [-1, +(0 | 1)]
int dlp_set_global(lua_State *L, const char *name);

/// Makes the table on top the module `dlp` for `require`, `os.exit` the function `exit_number`, and `os.execute`,
/// `io.popen` and `print` our own; a status of lua_pcall. [-1, +(0 | 1)]
int dlp_install(lua_State *L, int exit_number);

/// Lets `require` search in this directory after all that `package.path` and `package.cpath` name; a status of lua_pcall.
/// [-0, +(0 | 1)]
int dlp_search_in(lua_State *L, const char *directory);

/// Whether the function on top has a first parameter whose name does not begin with `_`. [-0, +0]
bool dlp_takes_argument(lua_State *L);

/// Calls the generic-for iterator at `index`, `index + 1` (state) and `index + 2` (control, replaced by the first
/// result), and pushes that first result; a status of lua_pcall. [-0, +1]
int dlp_iterate(lua_State *L, int index);

/// Calls the metamethod `__close` of the value at `index`, where it has one; a status of lua_pcall. [-0, +(0 | 1)]
int dlp_close_value(lua_State *L, int index);

// MARK: Random numbers

/// Finds the state of `math.random`. Call it before a script can replace the library.
void dlp_random_open(lua_State *L);

/// Does what `math.randomseed(first, second)` does, before the host calls something that has this seed. [-0, +0]
void dlp_random_seed(lua_State *L, lua_Integer first, lua_Integer second);

/// Gives the table on top, which has no metatable, what the module's loops seed `math.random` with. [-0, +0]
void dlp_set_random_functions(lua_State *L);

// MARK: Elements of loops

/// Gives the table on top, which has no metatable, what the module's loops call their functions with: `attempt`, `raise`,
/// `begin`, `ended`, `trace`, `traced` and `where`. [-0, +0]
void dlp_set_attempt_functions(lua_State *L);

// MARK: Programs

/// Gives the table on top, which has no metatable, what the module's functions for programs and pauses are made of: `time`,
/// `sleep`, and, where it `may_run` programs, `run` and `open_coprocess`. [-0, +0]
void dlp_set_program_functions(lua_State *L, bool may_run);

// MARK: Data files

/// Gives the table on top, which has no metatable, what the module's functions for files of data are made of: `decode_json`,
/// and, where it `may_read` files, `open_input` and `reader_methods`. [-0, +0]
void dlp_set_input_functions(lua_State *L, bool may_read);

/// How a file is divided into records.
typedef enum { dlp_lines, dlp_nul, dlp_csv, dlp_tsv, dlp_jsonl } dlp_input;

/// Pushes a reader of the records that come from `descriptor`, which it closes; messages name them `name`. `ahead` is what
/// has been read of them by others. A status of lua_pcall. [-0, +1]
int dlp_open_input(
    lua_State *L, int descriptor, const char *name, dlp_input format, const void *ahead, size_t ahead_count);

/// What `dlp_next_input` found: an error or a record, which is on top of the stack; the end; or nothing, as the rest of the
/// next record is still to come.
typedef enum { dlp_input_failed, dlp_input_record, dlp_input_end, dlp_input_nothing } dlp_input_found;

/// Reads the next record of the reader at `index`, and waits for it if it `waits`. [-0, +(0|1)]
dlp_input_found dlp_next_input(lua_State *L, int index, bool waits);

// MARK: Tables

/// What `dlp_classify` found out about a table.
typedef struct {
    /// How many entries it has.
    size_t count;
    /// Whether its keys are 1 ... count.
    bool is_sequence;
    /// Whether all values are floats, or all integers (within `low ... high`).
    bool is_floats;
    bool is_integers;
    lua_Integer low;
    lua_Integer high;
} dlp_shape;

/// Whether tables are read where they lie in memory, rather than by Lua's functions.
bool dlp_sees_tables(lua_State *L);
/// Lets Lua's functions serve from now on.
void dlp_overlook_tables(lua_State *L);

/// Looks at the table at `index`, without metamethods. [-0, +0]
dlp_shape dlp_classify(lua_State *L, int index);

/// How numbers lie in a run of them: floats of 64 bits, or integers of so many, little-endian.
typedef enum { dlp_float64, dlp_int8, dlp_int16, dlp_int32, dlp_int64 } dlp_number;

/// Copies the `count` numbers of the sequence at `index` to `bytes`: all are floats, or all integers that fit the type.
/// [-0, +0]
void dlp_read_numbers(lua_State *L, int index, dlp_number type, size_t count, void *bytes);

/// Pushes a table of the `count` numbers at `bytes`. [-0, +1]
void dlp_push_numbers(lua_State *L, dlp_number type, const void *bytes, size_t count);

// MARK: What functions are made of

/// The field of the registry in which the libraries are noted: a table of tables by their names.
#define dlp_libraries "dlp.libraries"

/// Notes what is in the tables of Lua's libraries and of `dlp`, in the metatables of strings and files, and among the methods of files (`file`): a copy of each, with the table itself at `true`. A status of lua_pcall.
/// [-0, +(0|1)]
int dlp_note_libraries(lua_State *L);

/// Whether a function in C is this program's or Lua's own; otherwise `*file` is the file that it comes from, NULL where nobody
/// knows. `*offset` is where in its file it lies.
bool dlp_is_own_function(lua_CFunction function, const char **file, size_t *offset);

/// Collects all garbage. [-0, +0]
void dlp_collect(lua_State *L);

// MARK: What examples enter

/// The field of the registry in which lies what is looked at after an example, to see whether it has left something: tables
/// and functions, and the names of globals.
#define dlp_watched "dlp.watched"

/// What is to be noted where a function is entered that has no number: nothing; that the example may have done anything; that
/// it opens the file that is its first argument; and that, unless its second argument is a mode of writing.
enum { dlp_track_nothing = -1, dlp_track_anything = -2, dlp_track_input = -3, dlp_track_open = -4 };

/// Notes from now on what examples enter: functions with numbers below `functions`, of which `dlp_track_function` says which
/// they are. The first `watched` objects are watched; if it `keeps`, an example has left something for all others from the
/// start. `has_between`: other code of the script may run between two examples. False where memory is short, where the script
/// has a hook of its own, or where there is too much to watch. [-0, +0]
bool dlp_start_tracking(lua_State *L, size_t functions, size_t watched, bool keeps, bool has_between);
void dlp_stop_tracking(lua_State *L);

/// Waits, some milliseconds at most, until the clock of file systems goes on: what was written before has another time then
/// than what is written afterwards.
void dlp_await_tick(void);

/// Whether what is watched is what it was when that began. [-0, +0]
bool dlp_is_untouched(lua_State *L);

/// The function at this address has this number, or is one of the above; false where memory is short.
bool dlp_track_function(lua_State *L, const void *function, int number);

/// What was noted of an example, before the bits of functions, 8 bytes for each 64, and files.
typedef struct {
    /// The example, from 1.
    int64_t index;
    /// How many bytes of files there are: size, seconds and nanoseconds of the last change, and length of the path, 8 bytes
    /// each; then the path. A size of -1: there was none.
    uint64_t files;
    /// Whether it may have done anything.
    uint64_t is_open;
} dlp_traced_head;

/// What was noted since the last call, valid until an example begins; how many words have the functions' bits; and the first
/// object that an example has changed, from 1, or 0.
typedef struct {
    const void *bytes;
    size_t count, words, changed;
} dlp_traced;
dlp_traced dlp_take_traced(lua_State *L);

// MARK: Memory

/// Sets how many bytes of memory Lua code may make the state use (0: any number): beyond that it gets the error "not
/// enough memory". Swift code gets more all the same.
void dlp_limit_memory(lua_State *L, size_t bytes);

/// The bytes of memory that the state uses, and those of free blocks that it keeps for what it will want next.
typedef struct {
    size_t used, kept;
} dlp_state_memory;
dlp_state_memory dlp_memory_of(lua_State *L);

/// Stops the garbage collector; false where it did not run, and so must not be restarted. [-0, +0]
bool dlp_stop_collector(lua_State *L);
/// Restarts what `dlp_stop_collector` stopped. [-0, +0]
void dlp_restart_collector(lua_State *L);

// MARK: Interruption

/// Makes the Lua code that runs in the state, in whatever coroutine, fail at its next instruction, and at the next after that should it catch
/// the error: for a rank whose job is over. May be called from another thread.
void dlp_interrupt(lua_State *L);

/// Notes, in a signal's handler, that this process was told to end. `holds`: the Lua code of the main thread stops where it
/// is, for the few seconds until `dlp_interrupt` makes it fail.
void dlp_note_signal(bool holds);

/// Whether the state's last example has failed, or might have, because such a signal has ended a program of its own, too.
bool dlp_is_cut_short(lua_State *L);

// MARK: The time of an example

/// Says that the example `index` begins, or that it has ended. What runs in between may be made to fail.
void dlp_begin_example(lua_State *L, lua_Integer index);
/// The same for an element of a loop of the module, also one in the body of a loop, where a script may do what it likes.
void dlp_begin_element(lua_State *L, lua_Integer index, bool is_body);
void dlp_end_example(lua_State *L);

/// An example under way, by a number that no other has; 0: none.
typedef struct {
    uint64_t number;
    lua_Integer index;
} dlp_example;

/// The example under way. May be called from another thread.
dlp_example dlp_example_under_way(lua_State *L);

/// Whether that is an element of a loop.
bool dlp_is_at_element(lua_State *L);

/// How many programs of a script are known at a time.
enum { program_slots = 16 };

/// Writes those programs of the example with that number to `programs` that run; returns how many. May be called from
/// another thread.
int dlp_programs_of(lua_State *L, uint64_t example, pid_t programs[program_slots]);

/// Makes the Lua code that runs fail until the example `number` has ended; nothing happens if that has ended by now.
/// May be called from another thread.
void dlp_expire_example(lua_State *L, uint64_t number);

/// Sets the error's message, of at most 95 bytes.
void dlp_set_late_message(lua_State *L, const char *text);

// MARK: Standard output

/// Lets no line that Lua prints leave in pieces, between which a launcher would put those of other ranks.
///
/// Such a line is one write; what Lua writes otherwise leaves by 64 KiB, on a terminal by the line. Call it before anything
/// is printed, and again when an MPI library is open: MPICH turns buffering off.
void dlp_buffer_standard_output(void);

/// A number that changes when the script prints, by `print` or into the buffer of standard output.
uint64_t dlp_printed(lua_State *L);

/// Flushes standard output; -1 where any of it could not be written.
int dlp_flush(void);
