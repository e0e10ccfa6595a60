#define _GNU_SOURCE
#include "CSystemProcesses.h"
#include "CSystemPrograms.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t dlp_children_of(pid_t process, pid_t *children, size_t capacity) {
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/task", process);
    DIR *threads = opendir(path);
    if (threads == NULL) return 0;
    // Each thread has a list of those that it has started.
    size_t count = 0;
    for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
        if (thread->d_name[0] == '.') continue;
        snprintf(path, sizeof path, "/proc/%d/task/%s/children", process, thread->d_name);
        FILE *file = fopen(path, "re");
        if (file == NULL) continue;
        for (pid_t child; fscanf(file, "%d", &child) == 1; count++)
            if (count < capacity) children[count] = child;
        fclose(file);
    }
    closedir(threads);
    return count;
}

uint64_t dlp_start_of(pid_t process) {
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", process);
    FILE *file = fopen(path, "re");
    if (file == NULL) return 0;
    size_t length = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[length] = 0;
    // The name may hold anything, but what follows it holds no parenthesis. See proc(5).
    const char *rest = strrchr(text, ')');
    char state;
    unsigned long long ticks;
    if (rest == NULL
        || sscanf(rest, ") %c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state, &ticks)
            != 2)
        return 0;
    return state == 'Z' || state == 'X' ? 0 : ticks;
}

// MARK: - Trees of processes

struct dlp_tree_member {
    pid_t process;
    /// A later process with the same number has a later start.
    uint64_t start;
};

/// Adds one process, unless it has ended or is there already.
static void add_member(struct dlp_tree *t, pid_t process) {
    uint64_t start = dlp_start_of(process);
    if (start == 0) return;
    for (size_t i = 0; i < t->count; i++)
        if (t->members[i].process == process && t->members[i].start == start) return;
    if (t->count == t->capacity) {
        size_t capacity = t->capacity > 0 ? 2 * t->capacity : 16;
        struct dlp_tree_member *grown = realloc(t->members, capacity * sizeof *grown);
        // The other processes can still be ended.
        if (grown == NULL) return;
        t->members = grown;
        t->capacity = capacity;
    }
    t->members[t->count++] = (struct dlp_tree_member){process, start};
}

static void add_children(struct dlp_tree *t, pid_t process) {
    pid_t some[64], *children = some;
    size_t capacity = sizeof some / sizeof *some, count;
    while ((count = dlp_children_of(process, children, capacity)) > capacity) {
        pid_t *more = realloc(children == some ? NULL : children, 2 * count * sizeof *more);
        if (more == NULL) {
            count = capacity;
            break;
        }
        children = more;
        capacity = 2 * count;
    }
    for (size_t i = 0; i < count; i++) add_member(t, children[i]);
    if (children != some) free(children);
}

void dlp_tree_grow(struct dlp_tree *tree) {
    // The list grows meanwhile.
    for (size_t i = 0; i < tree->count; i++) add_children(tree, tree->members[i].process);
}

void dlp_tree_add(struct dlp_tree *tree, pid_t process) {
    add_member(tree, process);
    dlp_tree_grow(tree);
}

void dlp_tree_add_children(struct dlp_tree *tree, pid_t process) {
    add_children(tree, process);
    dlp_tree_grow(tree);
}

static bool member_runs(struct dlp_tree_member member) { return dlp_start_of(member.process) == member.start; }

bool dlp_tree_runs(const struct dlp_tree *tree) {
    for (size_t i = 0; i < tree->count; i++)
        if (member_runs(tree->members[i])) return true;
    return false;
}

void dlp_tree_signal(const struct dlp_tree *tree, int signal) {
    for (size_t i = 0; i < tree->count; i++) {
        if (!member_runs(tree->members[i])) continue;
        kill(tree->members[i].process, signal);
        if (signal == SIGTERM) kill(tree->members[i].process, SIGCONT);
    }
}

void dlp_tree_clear(struct dlp_tree *tree) {
    free(tree->members);
    *tree = (struct dlp_tree){0};
}
