#pragma once

#include <stddef.h>
#include <stdlib.h>

/// From so many bytes on a block is large: what it costs to get its pages one by one is more than to fill them.
static const size_t dlp_large_block = (size_t)4 << 20;

/// Asks the system for large pages for what lies at `block`; it does as it likes.
void dlp_prefer_large_pages(void *block, size_t size);

/// As realloc, and large blocks are in large pages where the system has them for those who ask.
static inline void *dlp_realloc(void *block, size_t size) {
    void *moved = block == NULL ? malloc(size) : realloc(block, size);
    if (size >= dlp_large_block && moved != NULL) dlp_prefer_large_pages(moved, size);
    return moved;
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
