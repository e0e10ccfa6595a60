#define _GNU_SOURCE
#include "CSystemProcesses.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

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
