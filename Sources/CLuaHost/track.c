#define _GNU_SOURCE
#include "track.h"

#include <CSystem.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// Records what examples enter and open, by a hook that Lua calls at each function call.
//
// Other examples may find what an example leaves behind in variables and tables. Therefore, once a watched value has changed,
// everything that examples have entered counts for the later examples, too. Checking for changes takes longer than many an
// example; until the next check, what was entered counts for the following examples.

/// A hash table from the addresses of functions to their numbers, or to codes for what else is to be recorded.
typedef struct {
    const void *function;
    int number;
} slot;

/// What was entered and opened: functions as bits; files one after another, each as `file_head` and path.
typedef struct {
    uint64_t *functions;
    char *files;
    size_t files_size, files_capacity;
    /// Whether more may have been done than can be recorded.
    bool is_open;
} trace;

typedef struct {
    int64_t size, seconds, nanoseconds;
    uint64_t length;
} file_head;

struct tracker {
    slot *slots;
    size_t slot_count, slots_used;
    size_t words;
    /// The traces of the current example; of earlier examples that have left something; and of those not yet checked.
    trace present, left, unsure;
    /// The running example; 0: none.
    lua_Integer index;
    /// A hash of each watched object, from the beginning.
    uint64_t *marks;
    size_t mark_count;
    /// The first object that has changed since then, from 1; 0: none; -1: one, it is not known which.
    ptrdiff_t changed;
    /// When tracking began, by the clock of file systems.
    struct timespec began;
    /// Whether other code of the script may run between two examples, and whether it may have changed something. In that
    /// case it is unknown what later examples depend on.
    bool has_between, is_lost;
    /// When the last check was, how long it took, in nanoseconds, and how many values it read.
    uint64_t looked_at, look_time, values;
    /// The records to be reported.
    char *log;
    size_t log_size, log_capacity;
    bool log_failed;
};

enum {
    /// The most bytes of files in an example's record.
    most_files = 1 << 16,
    /// Checking for changes takes at most one part in `look_share` of the time; up to `few_values` values it is always done.
    look_share = 20,
    few_values = 500,
};

// MARK: - Functions

static size_t hash_of(const void *address) {
    uint64_t bits = (uint64_t)(uintptr_t)address * 0x9E3779B97F4A7C15u;
    return (size_t)(bits >> 20);
}

static slot *find(const tracker *t, const void *function) {
    for (size_t i = hash_of(function);; i++) {
        slot *s = &t->slots[i & (t->slot_count - 1)];
        if (s->function == function || s->function == NULL) return s;
    }
}

static bool insert(tracker *t, const void *function, int number) {
    if (t->slots_used * 2 >= t->slot_count) {
        tracker larger = {.slot_count = t->slot_count * 2};
        larger.slots = calloc(larger.slot_count, sizeof *larger.slots);
        if (larger.slots == NULL) return false;
        for (size_t i = 0; i < t->slot_count; i++)
            if (t->slots[i].function != NULL) *find(&larger, t->slots[i].function) = t->slots[i];
        free(t->slots);
        t->slots = larger.slots;
        t->slot_count = larger.slot_count;
    }
    slot *s = find(t, function);
    if (s->function == NULL) t->slots_used++;
    *s = (slot){function, number};
    return true;
}

/// What to record for a C function without a number: nothing if it is one of ours or Lua's.
static int number_of(tracker *t, lua_CFunction function) {
    const void *address = (const void *)function;
    slot *s = find(t, address);
    if (s->function != NULL) return s->number;
    const char *file;
    size_t offset;
    int number = dlp_is_own_function(function, &file, &offset) ? dlp_track_nothing : dlp_track_anything;
    insert(t, address, number);
    return number;
}

// MARK: - Files

static bool append(char **bytes, size_t *size, size_t *capacity, const void *more, size_t count) {
    if (*size + count > *capacity) {
        size_t larger = *capacity * 2 + count + 64;
        char *moved = realloc(*bytes, larger);
        if (moved == NULL) return false;
        *bytes = moved;
        *capacity = larger;
    }
    memcpy(*bytes + *size, more, count);
    *size += count;
    return true;
}

/// Adds a file, head and path, unless it is recorded already.
static void add_file(trace *t, const char *entry, size_t count) {
    for (size_t place = 0; place < t->files_size;) {
        file_head head;
        memcpy(&head, t->files + place, sizeof head);
        size_t size = sizeof head + head.length;
        if (size == count && memcmp(t->files + place, entry, count) == 0) return;
        place += size;
    }
    if (t->files_size + count > most_files || !append(&t->files, &t->files_size, &t->files_capacity, entry, count))
        t->is_open = true;
}

/// Whether a file was changed after tracking began: an example may have written it.
static bool is_new(const tracker *t, const struct timespec *time) {
    if (time->tv_sec != t->began.tv_sec) return time->tv_sec > t->began.tv_sec;
    return time->tv_nsec >= t->began.tv_nsec;
}

/// Records a file that is about to be opened, whose name is on top of the stack.
static void note_file(tracker *tracker, lua_State *L) {
    trace *t = &tracker->present;
    // If the argument is no name, it is an open file, or missing.
    if (lua_type(L, -1) != LUA_TSTRING) {
        t->is_open = true;
        return;
    }
    size_t length;
    const char *path = lua_tolstring(L, -1, &length);
    struct stat facts;
    file_head head = {.size = -1, .length = length};
    bool is_there = stat(path, &facts) == 0;
    if (is_there && (is_new(tracker, &facts.st_mtim) || is_new(tracker, &facts.st_ctim))) {
        t->is_open = true;
        return;
    }
    if (is_there)
        head = (file_head){facts.st_size, facts.st_mtim.tv_sec, facts.st_mtim.tv_nsec, length};
    char entry[sizeof head + 4096];
    if (length > 4096) {
        t->is_open = true;
        return;
    }
    memcpy(entry, &head, sizeof head);
    memcpy(entry + sizeof head, path, length);
    add_file(t, entry, sizeof head + length);
}

/// Whether the mode on top of the stack is for writing only.
static bool is_writing(lua_State *L) {
    const char *mode = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "r";
    return (mode[0] == 'w' || mode[0] == 'a') && strchr(mode, '+') == NULL;
}

/// Records the file that is opened by the call `event`.
static void note_opening(tracker *t, lua_State *L, lua_Debug *event, bool has_mode) {
    int top = lua_gettop(L);
    if (has_mode && lua_getlocal(L, event, 2) != NULL && is_writing(L)) return lua_settop(L, top);
    lua_settop(L, top);
    if (lua_getlocal(L, event, 1) != NULL) note_file(t, L);
    else t->present.is_open = true;
    lua_settop(L, top);
}

// MARK: - Calls

void dlp_track_call(lua_State *L, lua_Debug *event) {
    tracker *t = host_of(L)->tracker;
    // A coroutine may still have the hook.
    if (t == NULL || t->index == 0) return;
    lua_getinfo(L, "f", event);
    const void *function = lua_topointer(L, -1);
    slot *s = find(t, function);
    int number = dlp_track_nothing;
    if (s->function != NULL) number = s->number;
    else if (lua_iscfunction(L, -1)) number = number_of(t, lua_tocfunction(L, -1));
    lua_pop(L, 1);
    if (number >= 0) t->present.functions[number / 64] |= (uint64_t)1 << number % 64;
    else if (number == dlp_track_anything) t->present.is_open = true;
    else if (number != dlp_track_nothing) note_opening(t, L, event, number == dlp_track_open);
}

void dlp_track_anything_done(host *h) {
    if (h->tracker != NULL) h->tracker->present.is_open = true;
}

// MARK: - What examples leave

static uint64_t mix(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0xFF51AFD7ED558CCDu;
    return hash ^ hash >> 32;
}

/// Mixes the value at `index` into the hash; for a table or function, only its address.
static uint64_t mix_value(lua_State *L, int index, uint64_t hash) {
    int type = lua_type(L, index);
    hash = mix(hash, (uint64_t)type);
    if (type == LUA_TNUMBER) {
        if (lua_isinteger(L, index)) return mix(hash, (uint64_t)lua_tointeger(L, index));
        lua_Number number = lua_tonumber(L, index);
        uint64_t bits;
        memcpy(&bits, &number, sizeof bits);
        return mix(hash + 1, bits);
    }
    if (type == LUA_TBOOLEAN) return mix(hash, (uint64_t)lua_toboolean(L, index));
    if (type != LUA_TSTRING) return mix(hash, (uint64_t)(uintptr_t)lua_topointer(L, index));
    size_t length;
    const char *text = lua_tolstring(L, index, &length);
    hash = mix(hash, length);
    for (; length >= 8; length -= 8, text += 8) {
        uint64_t bits;
        memcpy(&bits, text, 8);
        hash = mix(hash, bits);
    }
    uint64_t rest = 0;
    memcpy(&rest, text, length);
    return mix(hash, rest);
}

/// Returns a hash of the object on top, a table or a function, and its contents; adds the number of its values to `*values`.
static uint64_t mark_of(lua_State *L, uint64_t *values) {
    int object = lua_gettop(L);
    uint64_t hash = 0;
    if (lua_type(L, object) == LUA_TTABLE) {
        if (lua_getmetatable(L, object)) {
            hash = mix_value(L, -1, hash);
            lua_pop(L, 1);
        }
        for (lua_pushnil(L); lua_next(L, object) != 0; lua_pop(L, 1)) {
            ++*values;
            // A sum does not depend on the order of the entries, which may change.
            hash += mix_value(L, -1, mix_value(L, -2, 1));
        }
    } else {
        for (int i = 1; lua_getupvalue(L, object, i) != NULL; i++) {
            ++*values;
            hash = mix_value(L, -1, hash);
            lua_pop(L, 1);
        }
    }
    return hash;
}

/// Hashes each watched object and each watched global. Returns false if there is no stack space, or at the first change.
static bool look(tracker *t, lua_State *L, bool is_first) {
    int top = lua_gettop(L);
    if (!lua_checkstack(L, 12)) return false;
    bool is_same = true;
    t->values = 0;
    if (lua_getfield(L, LUA_REGISTRYINDEX, dlp_watched) == LUA_TTABLE) {
        int table = lua_gettop(L);
        for (size_t i = 0; i < t->mark_count && is_same; i++) {
            uint64_t mark = 0;
            int type = lua_rawgeti(L, table, (lua_Integer)i + 1);
            if (type == LUA_TSTRING) {
                // The name of a global.
                lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
                lua_insert(L, -2);
                lua_rawget(L, -2);
                mark = mix_value(L, -1, 0);
                lua_pop(L, 1);
            } else {
                mark = mark_of(L, &t->values);
            }
            lua_pop(L, 1);
            if (is_first) t->marks[i] = mark;
            else if (t->marks[i] != mark) {
                t->changed = (ptrdiff_t)i + 1;
                is_same = false;
            }
        }
    }
    lua_settop(L, top);
    return is_same;
}

static void add(trace *sum, const trace *more, size_t words) {
    for (size_t i = 0; i < words; i++) sum->functions[i] |= more->functions[i];
    sum->is_open |= more->is_open;
    for (size_t place = 0; place < more->files_size;) {
        file_head head;
        memcpy(&head, more->files + place, sizeof head);
        add_file(sum, more->files + place, sizeof head + head.length);
        place += sizeof head + head.length;
    }
}

static void clear(trace *t, size_t words) {
    memset(t->functions, 0, words * sizeof *t->functions);
    t->files_size = 0;
    t->is_open = false;
}

/// Checks whether the example that has just ended, or an unchecked one before it, has left something.
static void judge(tracker *t, lua_State *L) {
    if (t->changed != 0) return add(&t->left, &t->present, t->words);
    add(&t->unsure, &t->present, t->words);
    uint64_t now = dlp_now();
    if (t->values > few_values && now - t->looked_at < look_share * t->look_time) return;
    if (!look(t, L, false)) {
        if (t->changed == 0) t->changed = -1;
        add(&t->left, &t->unsure, t->words);
    }
    clear(&t->unsure, t->words);
    t->looked_at = dlp_now();
    t->look_time = t->looked_at - now;
}

// MARK: - Examples

void dlp_track_begin(lua_State *L, lua_Integer index) {
    tracker *t = host_of(L)->tracker;
    clear(&t->present, t->words);
    // Code that was not observed may have left something. That is not known, and cannot be told from what examples have left.
    if (t->has_between && !t->is_lost && (t->changed != 0 || !look(t, L, false))) t->is_lost = true;
    t->present.is_open = t->is_lost;
    // This example may find what others have left.
    add(&t->present, t->changed != 0 ? &t->left : &t->unsure, t->words);
    t->index = index;
}

void dlp_track_end(lua_State *L) {
    tracker *t = host_of(L)->tracker;
    if (t->index == 0) return;
    dlp_traced_head head = {t->index, t->present.files_size, t->present.is_open};
    t->index = 0;
    bool is_noted = append(&t->log, &t->log_size, &t->log_capacity, &head, sizeof head)
        && append(&t->log, &t->log_size, &t->log_capacity, t->present.functions, t->words * 8)
        && append(&t->log, &t->log_size, &t->log_capacity, t->present.files, t->present.files_size);
    if (!is_noted) t->log_failed = true;
    judge(t, L);
}

dlp_traced dlp_take_traced(lua_State *L) {
    tracker *t = host_of(L)->tracker;
    if (t == NULL) return (dlp_traced){0};
    dlp_traced traced = {t->log, t->log_failed ? 0 : t->log_size, t->words, t->changed};
    t->log_size = 0;
    t->log_failed = false;
    return traced;
}

// MARK: - Beginning

static void discard(tracker *t) {
    if (t == NULL) return;
    trace *traces[] = {&t->present, &t->left, &t->unsure};
    for (int i = 0; i < 3; i++) {
        free(traces[i]->functions);
        free(traces[i]->files);
    }
    free(t->slots);
    free(t->marks);
    free(t->log);
    free(t);
}

void dlp_stop_tracking(lua_State *L) {
    discard(host_of(L)->tracker);
    host_of(L)->tracker = NULL;
}

void dlp_await_tick(void) {
    struct timespec first, now;
    clock_gettime(CLOCK_REALTIME_COARSE, &first);
    do {
        usleep(200);
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
    } while (now.tv_sec == first.tv_sec && now.tv_nsec == first.tv_nsec);
}

bool dlp_is_untouched(lua_State *L) {
    tracker *t = host_of(L)->tracker;
    return t == NULL || look(t, L, false);
}

bool dlp_start_tracking(lua_State *L, size_t functions, size_t watched, bool keeps, bool has_between) {
    dlp_stop_tracking(L);
    // A coroutine can have only one hook, and this one is the script's.
    if (lua_gethook(L) != NULL) return false;
    tracker *t = calloc(1, sizeof *t);
    if (t == NULL) return false;
    t->words = functions / 64 + 1;
    t->has_between = has_between;
    clock_gettime(CLOCK_REALTIME_COARSE, &t->began);
    t->slot_count = 256;
    t->slots = calloc(t->slot_count, sizeof *t->slots);
    t->mark_count = watched;
    t->marks = calloc(watched + 1, sizeof *t->marks);
    t->present.functions = calloc(t->words, 8);
    t->left.functions = calloc(t->words, 8);
    t->unsure.functions = calloc(t->words, 8);
    bool is_ready = t->slots && t->marks && t->present.functions && t->left.functions && t->unsure.functions;
    // If there is too much to check before each example as well, it cannot be known which code has changed it.
    if (!is_ready || !look(t, L, true) || (has_between && t->values > few_values)) {
        discard(t);
        return false;
    }
    if (keeps) t->changed = -1;
    host_of(L)->tracker = t;
    return true;
}

bool dlp_track_function(lua_State *L, const void *function, int number) {
    tracker *t = host_of(L)->tracker;
    return t != NULL && insert(t, function, number);
}
