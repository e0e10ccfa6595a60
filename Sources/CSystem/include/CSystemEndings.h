#pragma once

#include <stdbool.h>
#include <stddef.h>

/// Sets the name that stands before a colon in what this process says at its end; without that it is the program's
/// name.
void dlp_name_process(const char *name);

/// Ends this process with one line on standard error that says why, and does nothing else: no buffer is written, no
/// other process is told. It needs no memory, and signal handlers may call it.
_Noreturn void dlp_quit(int status, const char *why);

/// The same, with status 3, where a descriptor of this program is gone.
_Noreturn void dlp_quit_without_descriptor(void);

/// The same, with status 3, where the system has refused `wanted` bytes of memory.
_Noreturn void dlp_quit_without_memory(size_t wanted);

/// From now on, if code other than this program's calls `exit`, the process ends with a line, and not with status 0.
void dlp_guard_exit(void);

/// From now on `exit` has its usual effect again.
void dlp_allow_exit(void);

/// Ends the process by a signal, as if the signal were not handled: the process that started it sees which one.
_Noreturn void dlp_die_by_signal(int number);

/// Begins the process of `program`: unblocks the signals that its parent has blocked, and lets SIGINT, SIGTERM and
/// SIGHUP end it until other code handles them. With `is_speaker` it then ends with a line and the status that a shell
/// would report.
void dlp_begin_process(const char *program, bool is_speaker);
