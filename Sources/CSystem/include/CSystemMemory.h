#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/// A block is large from this many bytes on: getting its pages one by one costs more than filling them.
static const size_t dlp_large_block = (size_t)4 << 20;

struct dlp_spare {
    void *block;
    size_t size;
    /// How much of it is in memory, once that was counted; and whether it was.
    size_t resident;
    bool is_counted;
};

/// Large blocks that were freed, the oldest first, kept for the next request of their size.
///
/// `malloc` gives such a block's pages back at once, and the next block costs new pages, which the system clears, and
/// which a virtual machine may first have to get from its host. A rank gets messages of one size again and again. The
/// system can still take the pages of kept blocks when it is short of memory.
struct dlp_spares {
    struct dlp_spare slots[4];
    size_t count;
};

/// How many bytes are kept at most.
static const size_t dlp_most_spare = (size_t)512 << 20;

/// Keeps a large block, which came from malloc, and frees the oldest ones where that makes too many. Returns false
/// where it alone would be too much; then it still belongs to the caller.
bool dlp_keep_spare(struct dlp_spares *spares, void *block);

/// Takes a kept block of at least `size` bytes, and not many more. NULL where there is none: then all kept blocks are
/// freed, since other sizes are wanted now.
void *dlp_take_spare(struct dlp_spares *spares, size_t size);

/// Frees all that are kept; false where there are none.
bool dlp_free_spares(struct dlp_spares *spares);

/// How many bytes in memory belong to blocks that `dlp_free` keeps, which are no part of what the process needs: of
/// all, and of those that were there at the last call and have been unused since.
struct dlp_kept_memory {
    size_t all, unused;
};
struct dlp_kept_memory dlp_count_kept_memory(void);

/// The parts of `dlp_realloc` and `dlp_free` for large blocks.
void *dlp_realloc_large(void *block, size_t size);
void dlp_free_large(void *block);

/// Like realloc. Large blocks are in large pages where the system gives these on request, and blocks that were freed by
/// `dlp_free` are used again. Any thread may call it.
static inline void *dlp_realloc(void *block, size_t size) {
    if (size >= dlp_large_block) return dlp_realloc_large(block, size);
    return block == NULL ? malloc(size) : realloc(block, size);
}

/// Like free, for a block that has at least `size` bytes.
static inline void dlp_free(void *block, size_t size) {
    if (size >= dlp_large_block) {
        dlp_free_large(block);
    } else {
        free(block);
    }
}

/// What the maker of memory can promise to the processes that share it. The system enforces it.
enum dlp_promise {
    dlp_promise_nothing,
    /// Its size stays: otherwise touching it could raise a signal that kills.
    dlp_promise_size,
    /// Its size and its content stay.
    dlp_promise_all,
};

/// Makes memory that other processes reach by its descriptor; it has no name that could be left behind. Returns the
/// descriptor of `size` bytes of zeros, or -errno.
int dlp_memory_file(const char *name, size_t size, enum dlp_promise promise);

/// Makes such memory with a copy of `count` bytes, and promises that all of it stays. Returns the descriptor, or
/// -errno.
int dlp_memory_file_of(const char *name, const void *bytes, size_t count);

/// Whether the descriptor is one of memory of this size, with this promise.
int dlp_memory_file_has(int descriptor, size_t size, enum dlp_promise promise);

/// Maps what `dlp_memory_file_of` has made, here or in another process, for reading; NULL where it is not exactly
/// `count` bytes, all of them written and promised to stay.
const void *dlp_map_memory_file(int descriptor, size_t count);

/// Grows memory from `dlp_memory_file`, as yet without a promise, that is written where it is mapped. It lies at
/// `block` and has `size` bytes; where `block` is NULL it is mapped for the first time. Returns where it then is. NULL
/// where the system refuses; then what was mapped stays as it is.
void *dlp_grow_memory_file(int descriptor, void *block, size_t size, size_t wanted);

/// Writes bytes to such memory, mapped or not, beginning at `offset`; -1 where the system refuses.
int dlp_write_memory_file(int descriptor, size_t offset, const void *bytes, size_t count);

/// Gets the pages for the `count` bytes from `offset` on of what is mapped at `block`, in one call, where the system can.
void dlp_populate_memory_file(void *block, size_t offset, size_t count);

/// Promises that the first `count` bytes of it, which are all that was written, stay as they are, and maps them for reading
/// only. They are not at `block` any more. NULL where the system refuses.
const void *dlp_finish_memory_file(int descriptor, void *block, size_t size, size_t count);
