#pragma once

#include <stddef.h>
#include <stdint.h>

/// The kind of file system that the file at `path` is on, by the number that statfs(2) gives; 0 where nobody can tell.
uint32_t dlp_file_system(const char *path);

/// Opens what is missing of the descriptors 0, 1 and 2, so that nothing else gets these numbers: each in such a way that to
/// read or to write it fails, as without it. Those that are there wait for their reader or writer from now on.
void dlp_keep_standard_descriptors(void);

/// Takes what the C library has read ahead of standard input, at most `capacity` bytes; 0 where there is nothing.
size_t dlp_take_read_ahead(void *bytes, size_t capacity);

/// Opens a directory, of which nothing need be readable, to name files in it, whatever the present directory becomes; -1
/// and `errno` where that is not possible.
int dlp_open_directory(const char *path);
