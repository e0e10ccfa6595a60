#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/// A program that is to be run.
struct dlp_program {
    /// A free place, the program's name, its arguments; then NULL.
    char **words;
    char *const *environment;
    /// Where a name without a slash is looked for, in the form of PATH.
    const char *path;
    /// The directory in which it begins, or NULL: the caller's.
    const char *directory;
    /// The descriptors that become its standard input, output and error, and the only ones that it gets. A descriptor
    /// below 3 is already in its own place.
    int standard[3];
    /// The signal that it gets when the thread that starts it ends, or 0.
    int end_signal;
};

/// How far the start of a program came.
enum dlp_program_step { dlp_program_runs, dlp_program_has_no_process, dlp_program_has_no_directory, dlp_program_has_no_file };

/// Starts a program, with no signal blocked or handled; errno says why it came no further than the step.
enum dlp_program_step dlp_program_start(const struct dlp_program *program, pid_t *process);

/// Processes, and those that they have started, as they were when they were added.
struct dlp_tree {
    struct dlp_tree_member *members;
    size_t count, capacity;
};

/// Adds a process and those that it has started.
void dlp_tree_add(struct dlp_tree *tree, pid_t process);

/// Adds what the process has started, but not the process itself.
void dlp_tree_add_children(struct dlp_tree *tree, pid_t process);

/// Adds what the processes have started meanwhile.
void dlp_tree_grow(struct dlp_tree *tree);

/// Whether one of the processes still runs.
bool dlp_tree_runs(const struct dlp_tree *tree);

/// Sends `signal` to those that still run; SIGTERM also wakes those that are stopped, and would not notice it.
void dlp_tree_signal(const struct dlp_tree *tree, int signal);

/// Forgets them all.
void dlp_tree_clear(struct dlp_tree *tree);
