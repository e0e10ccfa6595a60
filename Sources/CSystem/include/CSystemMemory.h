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

/// Makes memory that other processes reach by its descriptor; it has no name that could be left behind. Returns the
/// descriptor of `size` bytes of zeros, or -errno.
int dlp_memory_file(const char *name, size_t size);

/// Such memory with a copy of `count` bytes that nobody can change any more; the descriptor, or -errno.
int dlp_memory_file_of(const char *name, const void *bytes, size_t count);

/// Maps memory that another process has made in this way, for reading; NULL where it is not exactly `count` bytes, or
/// somebody could still change it or take it away: to read it then could be a signal that kills.
const void *dlp_map_memory_file(int descriptor, size_t count);
