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
