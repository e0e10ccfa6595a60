// Shared by C files that start processes by vfork.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <unistd.h>

#if __has_feature(thread_sanitizer)
// ThreadSanitizer makes a fork of vfork, but the code that follows relies on shared memory, and on the parent's sleep.
// The sanitizer does not know the other name of the function. Nor must it note in its own memory, which is shared as
// well, that the child leaves for good, from its preparations or by `_exit`, or which handlers the child has.
#include <sys/syscall.h>
#define IN_CHILD __attribute__((disable_sanitizer_instrumentation))
#define _exit(status) (syscall(SYS_exit_group, status), __builtin_unreachable())
__attribute__((returns_twice)) pid_t __vfork(void);
#define vfork() __vfork()
int __sigaction(int signal, const struct sigaction *action, struct sigaction *previous);
#define sigaction(signal, action, previous) __sigaction(signal, action, previous)
#else
#define IN_CHILD
#endif

/// Gives `descriptor` the number `standard`, open across exec.
IN_CHILD static inline int dlp_place(int descriptor, int standard) {
    return descriptor == standard ? fcntl(standard, F_SETFD, 0) : dup2(descriptor, standard);
}

/// Closes all descriptors from `first` on, or lets the coming exec do it. Calls nothing that a child of vfork must not
/// call.
IN_CHILD void dlp_close_from(int first, bool at_exec);
