#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

/// From so many bytes on a block is large: what it costs to get its pages one by one is more than to fill them.
static const size_t dlp_large_block = (size_t)4 << 20;

struct dlp_spare {
    void *block;
    size_t size;
    /// How much of it is in memory, once somebody has asked; and whether they have.
    size_t resident;
    bool is_counted;
};

/// Large blocks that were freed, the oldest first, for those who want one of their size next.
///
/// `malloc` gives such a block's pages back at once, and the next one costs new pages, which the system clears, and which a
/// virtual machine may have to get from its host before. A rank gets messages of one size again and again. What is kept is
/// the system's all the same: it takes the pages when it is short of them.
struct dlp_spares {
    struct dlp_spare slots[4];
    size_t count;
};

/// How many bytes are kept at most.
static const size_t dlp_most_spare = (size_t)512 << 20;

/// Keeps a large block, which came from malloc, and frees the oldest ones that are too many then; false, and it is still
/// the caller's, where it alone would be too much.
bool dlp_keep_spare(struct dlp_spares *spares, void *block);

/// A block of at least `size` bytes, and not many more, that was kept; NULL where there is none: then none is kept any
/// longer, for the sizes that are wanted are others now.
void *dlp_take_spare(struct dlp_spares *spares, size_t size);

/// Frees all that are kept; false where there are none.
bool dlp_free_spares(struct dlp_spares *spares);

/// How many bytes in memory are of blocks that `dlp_free` keeps, and that are no part of what the process needs: of all, and of
/// those that were there at the last call and have lain there since.
struct dlp_kept_memory {
    size_t all, unused;
};
struct dlp_kept_memory dlp_count_kept_memory(void);

/// For large blocks, from `dlp_realloc` and `dlp_free`.
void *dlp_realloc_large(void *block, size_t size);
void dlp_free_large(void *block);

/// As realloc, and large blocks are in large pages where the system has them for those who ask, and those that were freed
/// by `dlp_free` are used again. Any thread may call it.
static inline void *dlp_realloc(void *block, size_t size) {
    if (size >= dlp_large_block) return dlp_realloc_large(block, size);
    return block == NULL ? malloc(size) : realloc(block, size);
}

/// As free, of a block that has at least `size` bytes.
static inline void dlp_free(void *block, size_t size) {
    if (size >= dlp_large_block) {
        dlp_free_large(block);
    } else {
        free(block);
    }
}

/// What a maker of memory can promise to those who share it, and the system sees to.
enum dlp_promise {
    dlp_promise_nothing,
    /// Its size stays: otherwise to touch it could be a signal that kills.
    dlp_promise_size,
    /// All of it stays as it is.
    dlp_promise_all,
};

/// Makes memory that other processes reach by its descriptor; it has no name that could be left behind. Returns the
/// descriptor of `size` bytes of zeros, or -errno.
int dlp_memory_file(const char *name, size_t size, enum dlp_promise promise);

/// Such memory with a copy of `count` bytes, all of which stays as it is; the descriptor, or -errno.
int dlp_memory_file_of(const char *name, const void *bytes, size_t count);

/// Whether the descriptor is one of memory of this size, with this promise.
int dlp_memory_file_has(int descriptor, size_t size, enum dlp_promise promise);

/// Maps what `dlp_memory_file_of` has made, here or in another process, for reading; NULL where it is not exactly `count`
/// bytes, all of them there and promised to stay.
const void *dlp_map_memory_file(int descriptor, size_t count);

/// Memory from `dlp_memory_file`, as yet without a promise, that is written where it is mapped: grows what lies at `block` and
/// has `size` bytes, or where that is NULL maps it for the first time. Returns where it then is; NULL, and nothing has changed,
/// where the system refuses.
void *dlp_grow_memory_file(int descriptor, void *block, size_t size, size_t wanted);

/// Promises that the first `count` bytes of it, which are all that was written, stay as they are, and maps them for reading
/// only. They are not at `block` any more. NULL where the system refuses.
const void *dlp_finish_memory_file(int descriptor, void *block, size_t size, size_t count);
