#pragma once

#include <stdbool.h>
#include <stddef.h>

/// Names this process in what it says at its end, before a colon; otherwise it is the program's name.
void dlp_name_process(const char *name);

/// Ends this process with one line on standard error that says why, and nothing else: no buffer is written, nobody is told.
/// It needs no memory, and signal handlers may call it.
_Noreturn void dlp_quit(int status, const char *why);

/// The same, with status 3, where a descriptor of this program's is gone.
_Noreturn void dlp_quit_without_descriptor(void);

/// The same where the system has refused so many bytes.
_Noreturn void dlp_quit_without_memory(size_t wanted);

/// From now on `exit`, called by anybody but this program, ends the process with a line, and not with status 0.
void dlp_guard_exit(void);

/// From now on `exit` is right again.
void dlp_allow_exit(void);

/// Ends the process by a signal, as if nobody had handled it: who started it sees which.
_Noreturn void dlp_die_by_signal(int number);

/// Begins the process of `program`: takes no blocked signals from its parent, and lets SIGINT, SIGTERM and SIGHUP end it
/// until somebody else handles them: where it `is_speaker` with a line and the status that a shell would report.
void dlp_begin_process(const char *program, bool is_speaker);
