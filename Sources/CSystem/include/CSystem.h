#pragma once

#include "CSystemBells.h"
#include "CSystemEndings.h"
#include "CSystemFiles.h"
#include "CSystemMemory.h"
#include "CSystemProcesses.h"
#include "CSystemPrograms.h"

#include <stdint.h>
#include <sys/types.h>

#include "CSystemSockets.h"

/// Nanoseconds of the monotonic clock.
uint64_t dlp_now(void);

/// The same as it was at the system's last tick, at most 10 ms ago; three times faster.
uint64_t dlp_now_roughly(void);

/// Nanoseconds of processor time of this thread and of the programs that this process has waited for, with what was
/// added for this thread.
uint64_t dlp_processor_time(void);

/// Adds nanoseconds to that, or subtracts them: the time of a program that is still alive does not count by itself.
void dlp_add_processor_time(int64_t nanoseconds);

/// Nanoseconds of processor time that a process has used so far; 0 where it has ended.
uint64_t dlp_processor_time_of(pid_t process);

/// The memory that a process holds, and the most that it held, in bytes.
struct dlp_memory {
    int64_t present, peak;
};

/// Reads the memory of this process, without the blocks that it has freed and keeps for itself. The peak is that since
/// the last call. A new one begins, also for others that ask the system. Returns 0 where the system does not say.
int dlp_take_own_memory(struct dlp_memory *memory);

/// Reads the memory of a process, whose peak is that since it began. Returns 0 where the system does not say.
int dlp_read_memory(pid_t process, struct dlp_memory *memory);

/// Notes that a program that this thread has run held this many bytes at most.
void dlp_note_program_memory(int64_t bytes);

/// The most that was noted on this thread since the last call; 0 where nothing was.
int64_t dlp_take_program_memory(void);

/// How many processors this machine has.
int dlp_processors(void);

/// Removes the signal handlers with which the Swift runtime prints a backtrace. Then a crash, perhaps one of a C
/// library that a script has loaded, is what it is for any other program: a signal, and a core file where those are
/// wanted. With SWIFT_BACKTRACE in the environment the handlers stay. Where memory is limited, and most of it in use, a
/// crash becomes a line that says so, and status 3.
void dlp_leave_crashes_to_system(void);

/// Makes a write fail, as on a full disk, where it would make a file larger than `ulimit -f` allows. Otherwise such a
/// write would end the process.
void dlp_survive_file_limit(void);

/// The number of words with which the program was started, its own name included.
int dlp_argument_count(void);

/// These words as they are. The Swift runtime reads them from /proc, which is not everywhere, and repairs what is not
/// UTF-8.
char **dlp_arguments(void);
