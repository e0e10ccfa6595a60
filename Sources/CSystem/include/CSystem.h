#pragma once

#include "CSystemFiles.h"
#include "CSystemProcesses.h"

#include <stdint.h>

#include "CSystemSockets.h"

/// Nanoseconds of the monotonic clock.
uint64_t dlp_now(void);
