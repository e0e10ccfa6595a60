#pragma once

#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/types.h>

/// How a process is to be started.
struct dlp_process {
    /// The program, looked up in PATH, and its arguments; then its environment. Both end with NULL.
    char *const *arguments;
    char *const *environment;
    /// The descriptors that become its standard input, output and error.
    int input, output, error;
    /// Descriptors that it inherits besides, under the same numbers.
    const int *inherited;
    int inherited_count;
    /// Whether it leads a process group of its own.
    int own_group;
    /// The only CPU it may run on, or -1.
    int cpu;
    /// Its soft limit on open descriptors, or 0 for the caller's.
    uint64_t descriptor_limit;
    /// The signals that are blocked in it.
    const sigset_t *mask;
    /// The descriptor of the guardian that is told of it.
    int guardian;
};

/// Starts a process; returns its number, or -1 with errno set where it could not be started, its program included.
pid_t dlp_process_start(const struct dlp_process *process);

/// Makes a pipe for the output of a process: `ends[0]`, which does not block, reads what is written to `ends[1]`.
/// Returns 0, or -1 with errno set.
int dlp_output_pipe(int ends[2]);

/// Starts the guardian: a process that kills everything it watches once all copies of `*descriptor` are closed
/// without a goodbye. Returns its number, or -1 with errno set.
pid_t dlp_guardian_start(int *descriptor);

/// What a guardian can be told about a target: a process, or with a negative number a process group, as `kill` takes it.
enum dlp_guardian_word { dlp_guardian_watch, dlp_guardian_forget, dlp_guardian_goodbye };

/// Tells the guardian behind `descriptor` something; returns 0, or -1 with errno set.
int dlp_guardian_tell(int descriptor, enum dlp_guardian_word word, pid_t target);

/// Blocks the signals that end, stop or inform a launcher and returns a descriptor that reads them as `signalfd` does,
/// or -1 with errno set. `*previous` becomes the mask from before. Signals that were ignored stay ignored.
int dlp_launcher_signals(sigset_t *previous);

/// Stops this process as SIGTSTP does by default; returns when it is continued, or at once where no process could
/// continue it.
void dlp_suspend(void);

/// Writes the CPUs that this process may run on to `cpus`; returns how many there are, at most `capacity`.
int dlp_allowed_cpus(int *cpus, int capacity);

/// Makes descendants whose parent has ended children of this process.
int dlp_adopt_orphans(void);

/// Fills `children` with at most `capacity` of the processes whose parent is `process`; returns how many there are.
size_t dlp_children_of(pid_t process, pid_t *children, size_t capacity);

/// When a process began, in the system's ticks since it began itself; 0 where the process has ended.
uint64_t dlp_start_of(pid_t process);

/// Lets this thread's sleeps end on time, to a microsecond, rather than when it suits the system.
void dlp_sleep_precisely(void);

/// The columns of the terminal behind `descriptor`, 80 where it does not say; 0 where it is no terminal.
int dlp_terminal_columns(int descriptor);

/// How a process ended, from its wait status: its exit status, or minus the signal that killed it.
int dlp_wait_result(int status);

/// The length of `bytes` up to and with its last newline, or 0 where it has none.
size_t dlp_length_of_whole_lines(const void *bytes, size_t count);
