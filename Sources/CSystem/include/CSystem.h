#pragma once

#include <stdint.h>

/// Nanoseconds of the monotonic clock.
uint64_t dlp_now(void);
