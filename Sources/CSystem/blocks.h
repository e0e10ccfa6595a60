#pragma once

#include <stdbool.h>

/// Frees the blocks that this process keeps; false where there are none.
bool free_kept_blocks(void);
