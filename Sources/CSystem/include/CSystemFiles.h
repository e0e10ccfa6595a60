#pragma once

#include <stdint.h>

/// The kind of file system that the file at `path` is on, by the number that statfs(2) gives; 0 where nobody can tell.
uint32_t dlp_file_system(const char *path);
