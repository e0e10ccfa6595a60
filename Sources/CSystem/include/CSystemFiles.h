#pragma once

#include <stddef.h>
#include <stdint.h>

/// The kind of file system that the file at `path` is on, by the number that statfs(2) gives; 0 where that is not
/// known.
uint32_t dlp_file_system(const char *path);

/// Opens those of the descriptors 0, 1 and 2 that are missing, so that nothing else gets these numbers. They are opened
/// in such a way that reading or writing fails, as without them. Reading and writing those that exist blocks from now
/// on.
void dlp_keep_standard_descriptors(void);

/// Takes what the C library has read ahead of standard input, at most `capacity` bytes; 0 where there is nothing.
size_t dlp_take_read_ahead(void *bytes, size_t capacity);

/// Opens a directory, which need not be readable, to name files in it even after the working directory has changed; -1
/// and `errno` where that is not possible.
int dlp_open_directory(const char *path);
