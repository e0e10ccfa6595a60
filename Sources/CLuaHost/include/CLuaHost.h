// The C layer between Lua and Swift.
//
// An error in Lua is a longjmp, and a longjmp must not cross a Swift frame: it would skip every `defer` and leak what the
// frame owns. Therefore Swift calls everything that can raise through the functions here, which run it under lua_pcall. A
// Swift function that Lua calls returns a status, and the trampoline raises the error after the Swift frame is gone.
//
// Each function has its stack effect beside it, [-popped, +pushed], as in Lua's manual.
#pragma once

#include <lua.h>
#include <lualib.h>
#include <lauxlib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: The state

/// Returns a state with the standard libraries, or NULL where memory is short.
lua_State *dlp_new_state(void);

/// Closes the state and frees what belongs to it.
void dlp_close(lua_State *L);

// MARK: Calls from Lua into Swift

/// The chunk name of the module's Lua code. No error message may name it as its place.
#define DLP_MODULE_CHUNK "dlp"

/// A Swift function returns this in place of the number of its results: raise the value on top of the stack. A string is
/// prefixed with the script's line.
static const int dlp_raise = -1;
/// The same: end the process. Its status (an integer) and whether to close the state (a boolean) are on top of the stack.
static const int dlp_exit = -2;

/// A Swift function that Lua calls. Returns the number of results on top of the stack, `dlp_raise` or `dlp_exit`.
typedef int (*dlp_function)(void *context, lua_State *L, int number);

/// Sets the Swift function that serves calls of `dlp_push_function`, and its context, which identifies the calling state.
void dlp_set_dispatcher(lua_State *L, dlp_function dispatcher, void *context);

/// Pushes a Lua function that calls the state's dispatcher with `number`. [-0, +1]
void dlp_push_function(lua_State *L, int number);

/// Pushes the script's position in the form that begins a message: the innermost line that is not the module's own Lua code.
/// [-0, +1]
void dlp_push_where(lua_State *L);

/// Returns the number of that line, or 0. [-0, +0]
int dlp_line(lua_State *L);

// MARK: Protected calls from Swift into Lua

/// Calls the function below its `arguments` with a traceback kept for `dlp_traceback`. Returns a lua_pcall status.
/// [-(arguments + 1), +(results | 1)]
int dlp_call(lua_State *L, int arguments, int results);

/// Pushes the message handler that `dlp_call` uses. [-0, +1]
void dlp_push_handler(lua_State *L);

/// Like `dlp_call`, with the message handler at index `handler`, or without one (0). [-(arguments + 1), +(results | 1)]
int dlp_call_handled(lua_State *L, int arguments, int results, int handler);

/// Pushes the main function of a chunk, which may be text, bytecode or both, by `mode`; returns a status of Lua. [-0, +1]
int dlp_load(lua_State *L, const char *text, size_t length, const char *name, const char *mode);

/// The traceback of the last error that the handler saw, or an empty string; valid until the next error.
const char *dlp_traceback(lua_State *L);

/// Pushes a Lua function that sets the describer. When an error comes, the describer says at which element of a loop the
/// script is (a string, or nil). [-0, +1]
void dlp_push_describer_setter(lua_State *L);

/// What the describer said at the last error that the handler saw, or an empty string; valid until the next error.
const char *dlp_element(lua_State *L);

/// Forgets that description. Needed because an error for lack of memory does not reach the handler.
void dlp_forget_element(lua_State *L);

/// Pushes the value as a string, like Lua's `tostring`, even if its metamethod fails. [-0, +1]
void dlp_tostring(lua_State *L, int index);

/// Pushes `table[key]`, using metamethods; returns a status of lua_pcall. [-0, +1]
int dlp_get(lua_State *L, int table, lua_Integer key);

/// Pushes `#value`, using metamethods; returns a status of lua_pcall. [-0, +1]
int dlp_length(lua_State *L, int index);

/// Pushes the global `name`, even if the globals have a metatable; returns a status of lua_pcall. [-0, +1]
int dlp_get_global(lua_State *L, const char *name);

/// Pushes the table of globals. [-0, +1]
void dlp_push_globals(lua_State *L);

/// Sets the global `name` to the value on top; returns a status of lua_pcall. [-1, +(0 | 1)]
int dlp_set_global(lua_State *L, const char *name);

/// Makes the table on top the module `dlp` for `require`, makes the function `exit_number` `os.exit`, and replaces
/// `os.execute`, `io.popen` and `print` by our own; returns a status of lua_pcall. [-1, +(0 | 1)]
int dlp_install(lua_State *L, int exit_number);

/// Makes `require` search in this directory after everything in `package.path` and `package.cpath`; returns a status of
/// lua_pcall. [-0, +(0 | 1)]
int dlp_search_in(lua_State *L, const char *directory);

/// Whether the function on top has a first parameter whose name does not begin with `_`. [-0, +0]
bool dlp_takes_argument(lua_State *L);

/// Calls the generic-for iterator at `index`, `index + 1` (state) and `index + 2` (control, replaced by the first
/// result), and pushes that first result; returns a status of lua_pcall. [-0, +1]
int dlp_iterate(lua_State *L, int index);

/// Calls the metamethod `__close` of the value at `index`, if it has one; returns a status of lua_pcall. [-0, +(0 | 1)]
int dlp_close_value(lua_State *L, int index);

// MARK: Random numbers

/// Finds the state of `math.random`. Must be called before a script can replace the library.
void dlp_random_open(lua_State *L);

/// Does the same as `math.randomseed(first, second)`, before the host calls something that has this seed. [-0, +0]
void dlp_random_seed(lua_State *L, lua_Integer first, lua_Integer second);

/// Adds to the table on top, which has no metatable, the functions that the module's loops use to seed `math.random`. [-0,
/// +0]
void dlp_set_random_functions(lua_State *L);

// MARK: Elements of loops

/// Adds to the table on top, which has no metatable, the functions with which the module's loops call theirs: `attempt`,
/// `raise`, `begin`, `ended`, `trace`, `traced` and `where`. [-0, +0]
void dlp_set_attempt_functions(lua_State *L);

// MARK: Programs

/// Adds to the table on top, which has no metatable, the functions on which the module's functions for programs and pauses
/// are built: `time`, `sleep`, and, if it `may_run` programs, `run` and `open_coprocess`. [-0, +0]
void dlp_set_program_functions(lua_State *L, bool may_run);

// MARK: Data files

/// Adds to the table on top, which has no metatable, the functions on which the module's functions for data files are built:
/// `decode_json`, and, if it `may_read` files, `open_input` and `reader_methods`. [-0, +0]
void dlp_set_input_functions(lua_State *L, bool may_read);

/// How a file is divided into records.
typedef enum { dlp_lines, dlp_nul, dlp_csv, dlp_tsv, dlp_jsonl } dlp_input;

/// Pushes a reader of the records from `descriptor`, which it closes; messages name them `name`. `ahead` contains the bytes
/// that have been read from the descriptor already. Returns a status of lua_pcall. [-0, +1]
int dlp_open_input(
    lua_State *L, int descriptor, const char *name, dlp_input format, const void *ahead, size_t ahead_count);

/// The result of `dlp_next_input`: an error or a record, which is on top of the stack; the end; or nothing, if the next
/// record is not complete yet.
typedef enum { dlp_input_failed, dlp_input_record, dlp_input_end, dlp_input_nothing } dlp_input_found;

/// Reads the next record of the reader at `index`; waits for it if `waits`. [-0, +(0|1)]
dlp_input_found dlp_next_input(lua_State *L, int index, bool waits);

// MARK: Tables

/// The result of `dlp_classify` for a table.
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

/// Whether tables are read directly in memory, not by Lua's functions.
bool dlp_sees_tables(lua_State *L);
/// Uses Lua's functions from now on.
void dlp_overlook_tables(lua_State *L);

/// Looks at the table at `index`, without metamethods. [-0, +0]
dlp_shape dlp_classify(lua_State *L, int index);

/// The format of a run of numbers: floats of 64 bits, or integers of the given bits, little-endian.
typedef enum { dlp_float64, dlp_int8, dlp_int16, dlp_int32, dlp_int64 } dlp_number;

/// Copies the `count` numbers of the sequence at `index` to `bytes`. All must be floats, or all integers that fit the type.
/// [-0, +0]
void dlp_read_numbers(lua_State *L, int index, dlp_number type, size_t count, void *bytes);

/// Pushes a table of the `count` numbers at `bytes`. [-0, +1]
void dlp_push_numbers(lua_State *L, dlp_number type, const void *bytes, size_t count);

/// What a scalar is; the value is the field of that name.
typedef enum { dlp_integer, dlp_float, dlp_boolean, dlp_string } dlp_scalar_type;

/// A value that contains no others. The bytes of a string are Lua's own.
typedef struct {
    dlp_scalar_type type;
    union {
        lua_Integer integer;
        lua_Number number;
        bool boolean;
        struct {
            const char *bytes;
            size_t length;
        };
    };
} dlp_scalar;

/// Writes to `scalars` the elements of the table at `index`, whose shape is known: of a sequence its values, in order;
/// of other tables each key with its value behind it. Returns false if one is no scalar, or if memory is short. [-0, +0]
bool dlp_read_scalars(lua_State *L, int index, dlp_shape shape, dlp_scalar *scalars);

/// Has the processor fetch what lies a few places behind `element`, from 0, of the list at `index`: a walk through many
/// small tables mostly waits for memory. Does nothing for lists that are no tables. [-0, +0]
void dlp_look_ahead(lua_State *L, int index, size_t element);

// MARK: What functions are made of

/// The field of the registry that contains the libraries: a table of tables by their names.
#define dlp_libraries "dlp.libraries"

/// Records the contents of the tables of Lua's libraries and of `dlp`, of the metatables of strings and files, and of the
/// methods of files (`file`): a copy of each, with the table itself at `true`. Returns a status of lua_pcall. [-0, +(0|1)]
int dlp_note_libraries(lua_State *L);

/// Whether a C function belongs to this program or to Lua. If not, `*file` is the file that contains it, NULL if unknown.
/// `*offset` is the function's place in its file.
bool dlp_is_own_function(lua_CFunction function, const char **file, size_t *offset);

/// Collects all garbage. [-0, +0]
void dlp_collect(lua_State *L);

// MARK: What examples enter

/// The field of the registry that contains what is checked after an example, to see whether it has left something: tables and
/// functions, and the names of globals.
#define dlp_watched "dlp.watched"

/// What to record when a function without a number is entered: nothing; that the example may have done anything; that it
/// opens the file named by its first argument; or the same, unless its second argument is a mode for writing.
enum { dlp_track_nothing = -1, dlp_track_anything = -2, dlp_track_input = -3, dlp_track_open = -4 };

/// Records from now on what examples enter. Functions have numbers below `functions`; `dlp_track_function` assigns them. The
/// first `watched` objects are watched. If it `keeps`, an example counts from the start as having left something for all
/// others. `has_between`: other code of the script may run between two examples. Returns false where memory is short, where
/// the script has a hook of its own, or where there is too much to watch. [-0, +0]
bool dlp_start_tracking(lua_State *L, size_t functions, size_t watched, bool keeps, bool has_between);
void dlp_stop_tracking(lua_State *L);

/// Waits, for some milliseconds at most, until the clock of file systems advances. Files written before then have another
/// time than files written afterwards.
void dlp_await_tick(void);

/// Whether everything watched is as it was when watching began. [-0, +0]
bool dlp_is_untouched(lua_State *L);

/// Gives the function at this address a number, or one of the codes above; returns false where memory is short.
bool dlp_track_function(lua_State *L, const void *function, int number);

/// The head of an example's record. Bits for the functions follow, 8 bytes for each 64, and then the files.
typedef struct {
    /// The example, from 1.
    int64_t index;
    /// How many bytes of files there are. Each file has 8 bytes each for its size, the seconds and nanoseconds of its last
    /// change, and the length of its path; then the path. A size of -1: the file did not exist.
    uint64_t files;
    /// Whether the example may have done anything.
    uint64_t is_open;
} dlp_traced_head;

/// The records since the last call, valid until an example begins; the number of words of the functions' bits; and the first
/// object that an example has changed, from 1; 0: none; -1: one, it is not known which.
typedef struct {
    const void *bytes;
    size_t count, words;
    ptrdiff_t changed;
} dlp_traced;
dlp_traced dlp_take_traced(lua_State *L);

// MARK: Memory

/// Sets how many bytes of memory Lua code may make the state use (0: no limit). Beyond it Lua code gets the error "not
/// enough memory"; Swift code still gets more.
void dlp_limit_memory(lua_State *L, size_t bytes);

/// The bytes of memory that the state uses, and those of free blocks that it keeps for its next allocations.
typedef struct {
    size_t used, kept;
} dlp_state_memory;
dlp_state_memory dlp_memory_of(lua_State *L);

/// Stops the garbage collector. Returns false if it did not run; then it must not be restarted. [-0, +0]
bool dlp_stop_collector(lua_State *L);
/// Restarts what `dlp_stop_collector` stopped. [-0, +0]
void dlp_restart_collector(lua_State *L);

// MARK: Interruption

/// Makes the Lua code that runs in the state, in any coroutine, fail at its next instruction. If it catches the error, it
/// fails again at the next one. For a rank whose job is over. May be called from another thread.
void dlp_interrupt(lua_State *L);

/// Notes, in a signal handler, that this process was told to end. `holds`: the Lua code of the main thread stops where it
/// is, for a few seconds at most, until `dlp_interrupt` makes it fail.
void dlp_note_signal(bool holds);

/// Whether the state's last example has failed, or might have, because such a signal has ended its program, too.
bool dlp_is_cut_short(lua_State *L);

// MARK: The time of an example

/// Says that the example `index` begins, or that it has ended. The code that runs in between may be made to fail.
void dlp_begin_example(lua_State *L, lua_Integer index);
/// The same for an element of one of the module's loops, also in the body of a loop, where a script may run any code.
void dlp_begin_element(lua_State *L, lua_Integer index, bool is_body);
void dlp_end_example(lua_State *L);

/// A running example, with a unique number; 0: none.
typedef struct {
    uint64_t number;
    lua_Integer index;
} dlp_example;

/// Returns the running example. May be called from another thread.
dlp_example dlp_example_under_way(lua_State *L);

/// Whether the running example is an element of a loop.
bool dlp_is_at_element(lua_State *L);

/// How many of a script's programs are recorded at a time.
enum { program_slots = 16 };

/// Writes the running programs of the example with that number to `programs`; returns how many there are. May be called from
/// another thread.
int dlp_programs_of(lua_State *L, uint64_t example, pid_t programs[program_slots]);

/// Makes the running Lua code fail until the example `number` has ended; does nothing if that has ended already.
/// May be called from another thread.
void dlp_expire_example(lua_State *L, uint64_t number);

/// Sets the message of that error, of at most 95 bytes.
void dlp_set_late_message(lua_State *L, const char *text);

// MARK: Standard output

/// Makes each line that Lua prints leave in one piece; a launcher could insert lines of other ranks between pieces.
///
/// Such a line is one write. Other output of Lua leaves in blocks of 64 KiB; on a terminal, line by line. Must be called
/// before anything is printed, and again once an MPI library is open, because MPICH turns buffering off.
void dlp_buffer_standard_output(void);

/// Returns a number that changes when the script prints, by `print` or into the buffer of standard output.
uint64_t dlp_printed(lua_State *L);

/// Flushes standard output; returns -1 if any of it could not be written.
int dlp_flush(void);
