#define _GNU_SOURCE
#include "host.h"

#include <CSystem.h>
#include <dlfcn.h>
#include <stdlib.h>

// MARK: Small blocks

// Most blocks that Lua frees are small and soon needed again, as a string for each field of a row. Lists of free blocks, by
// size, make them available at once; malloc and free took a fifth of the time of reading CSV. Blocks in the lists count as
// free.

/// The sizes are those of malloc's blocks, whatever size was requested: 24, 40, 56, ... bytes. A block that was allocated
/// before this allocator was set therefore fits, too.
static inline size_t size_class(size_t size) { return (size + 7) / 16; }
static inline size_t class_size(size_t class) { return 16 * class + 8; }
static inline bool is_small(size_t size) { return size <= class_size(free_sizes - 1); }

/// The most bytes that are kept; 0 where malloc's blocks may have other sizes, or where a sanitizer must see them freed.
#if !defined(__GLIBC__) || __has_feature(address_sanitizer)
static const size_t most_free = 0;
#else
static const size_t most_free = (size_t)256 << 10;
#endif

/// Takes a free block for `size` bytes; NULL if there is none.
static inline void *take_block(host *h, size_t size) {
    free_block *block = h->free_blocks[size_class(size)];
    if (block == NULL) return NULL;
    h->free_blocks[size_class(size)] = block->next;
    h->free_bytes -= class_size(size_class(size));
    return block;
}

/// Keeps a small block; returns false if enough of them are kept.
static inline bool keep_block(host *h, free_block *block, size_t size) {
    size_t kept = h->free_bytes + class_size(size_class(size));
    if (block == NULL || kept > most_free) return false;
    block->next = h->free_blocks[size_class(size)];
    h->free_blocks[size_class(size)] = block;
    h->free_bytes = kept;
    return true;
}

bool dlp_free_blocks(host *h) {
    if (h->free_bytes == 0) return false;
    for (size_t class = 0; class < free_sizes; class++) {
        for (free_block *block = h->free_blocks[class], *next; block != NULL; block = next) {
            next = block->next;
            free(block);
        }
        h->free_blocks[class] = NULL;
    }
    h->free_bytes = 0;
    return true;
}

static void *resize(host *h, void *block, size_t old_size, size_t new_size) {
    if (!is_small(new_size)) return dlp_realloc(block, new_size);
    bool is_of_class = most_free > 0 && block != NULL && is_small(old_size);
    if (is_of_class && size_class(old_size) == size_class(new_size)) return block;
    void *kept = block == NULL ? take_block(h, new_size) : NULL;
    return kept != NULL ? kept : dlp_realloc(block, class_size(size_class(new_size)));
}

// MARK: The limit

// The limit applies to Lua code, which gets an error where it requests too much. It must not apply to Swift code, because the
// error would be a longjmp through its frames. Swift code may exceed the limit. The next request of Lua code is then refused
// until a collection has brought the use below the limit.

static inline bool fits(const host *h, size_t growth) {
    if (h->memory_limit == 0) return true;
    return h->memory_used <= h->memory_limit && growth <= h->memory_limit - h->memory_used;
}

static bool is_refused(host *h, size_t growth) {
    if (fits(h, growth)) return false;
    if (h->is_bound) return true;
    // A request of Swift code may start a collection, and the collection may run a finalizer. That is Lua code again,
    // called under protection. While a finalizer runs, lua_gc refuses every request (since 5.4.4; before, a finalizer may
    // exceed the limit, too).
    return lua_gc(h->main, LUA_GCCOUNT) == -1;
}

static void *allocate_slowly(host *h, void *block, size_t old_size, size_t new_size) {
    // Without a block, Lua passes the type of the new object as the old size.
    if (block == NULL) old_size = 0;
    if (new_size == 0) {
        dlp_free(block, old_size);
        h->memory_used -= old_size;
        return NULL;
    }
    // Lua assumes that shrinking a block never fails.
    if (new_size > old_size && is_refused(h, new_size - old_size)) return NULL;
    void *moved = resize(h, block, old_size, new_size);
    if (moved == NULL && dlp_free_blocks(h)) moved = resize(h, block, old_size, new_size);
    if (moved != NULL) h->memory_used += new_size - old_size;
    return moved;
}

static void *allocate(void *context, void *block, size_t old_size, size_t new_size) {
    host *h = context;
    // The most frequent case by far.
    if (new_size == 0 && is_small(old_size) && keep_block(h, block, old_size)) {
        h->memory_used -= old_size;
        return NULL;
    }
    if (block == NULL && new_size > 0 && is_small(new_size) && fits(h, new_size)) {
        void *kept = take_block(h, new_size);
        if (kept != NULL) {
            h->memory_used += new_size;
            return kept;
        }
    }
    return allocate_slowly(h, block, old_size, new_size);
}

/// The allocator for code that asks for it and calls it itself. Such code does not collect garbage and retry, as Lua does.
static void *allocate_collecting(void *context, void *block, size_t old_size, size_t new_size) {
    host *h = context;
    void *moved = allocate(h, block, old_size, new_size);
    if (moved != NULL || new_size == 0) return moved;
    lua_gc(h->running, LUA_GCCOLLECT);
    return allocate(h, block, old_size, new_size);
}

/// Lua's own function of the next name, if Lua is linked into the program: scripts/package.d/link renames it so.
extern lua_Alloc dlp_lua_getallocf(lua_State *, void **) __attribute__((weak));

/// Replaces Lua's own function, also for Lua's libraries. They use it to get memory for their buffers, and would hit the
/// limit while the state is full of garbage.
lua_Alloc lua_getallocf(lua_State *L, void **context) {
    typedef lua_Alloc (*function)(lua_State *, void **);
    static _Atomic(function) original;
    if (original == NULL) original = dlp_lua_getallocf;
    if (original == NULL) original = (function)dlsym(RTLD_NEXT, "lua_getallocf");
    lua_Alloc found = original(L, context);
    return found == allocate ? allocate_collecting : found;
}

void dlp_count_memory(lua_State *L) {
    host *h = host_of(L);
    h->main = L;
    h->memory_used = (size_t)lua_gc(L, LUA_GCCOUNT) * 1024 + (size_t)lua_gc(L, LUA_GCCOUNTB);
    // So far the state has used the allocator of luaL_newstate, which calls realloc and free, too.
    lua_setallocf(L, allocate, h);
}

void dlp_limit_memory(lua_State *L, size_t bytes) { host_of(L)->memory_limit = bytes; }

dlp_state_memory dlp_memory_of(lua_State *L) {
    return (dlp_state_memory){.used = host_of(L)->memory_used, .kept = host_of(L)->free_bytes};
}

int dlp_call_handled(lua_State *L, int arguments, int results, int handler) {
    host *h = host_of(L);
    bool was_bound = h->is_bound;
    h->is_bound = true;
    int status = lua_pcall(L, arguments, results, handler);
    h->is_bound = was_bound;
    if (status == LUA_ERRMEM) {
        // No handler sees this error. The traceback of an earlier error must not be reported with it.
        free(h->traceback);
        h->traceback = NULL;
        // Without this, the collector would take the peak for normal use, and wait until memory use has doubled.
        lua_gc(L, LUA_GCCOLLECT);
    }
    return status;
}

int dlp_load(lua_State *L, const char *text, size_t length, const char *name, const char *mode) {
    host *h = host_of(L);
    bool was_bound = h->is_bound;
    h->is_bound = true;
    int status = luaL_loadbufferx(L, text, length, name, mode);
    h->is_bound = was_bound;
    return status;
}

bool dlp_stop_collector(lua_State *L) {
    if (lua_gc(L, LUA_GCISRUNNING) != 1) return false;
    lua_gc(L, LUA_GCSTOP);
    return true;
}

void dlp_restart_collector(lua_State *L) { lua_gc(L, LUA_GCRESTART); }
