#define _GNU_SOURCE
#include "CSystem.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

// getrusage reports the peak of this process, too, but never less than what the process held before it became this
// program by exec. Where a large program has started us that would be the peak of every example.

static int open_file_of(pid_t process, const char *name, int flags) {
    char path[64] = "/proc/self/";
    if (process == getpid()) strcat(path, name);
    else snprintf(path, sizeof path, "/proc/%d/%s", (int)process, name);
    return open(path, flags | O_CLOEXEC);
}

/// Returns the bytes that stand behind `name` in the text from `*text` on, and moves `*text` behind them; 0 where
/// `name` is not there.
static int64_t bytes_of(const char **text, const char *name) {
    const char *place = strstr(*text, name);
    if (place == NULL) return 0;
    place += strlen(name);
    while (*place == ' ' || *place == '\t') place++;
    int64_t kilobytes = 0;
    for (; *place >= '0' && *place <= '9'; place++) kilobytes = kilobytes * 10 + (*place - '0');
    *text = place;
    return kilobytes * 1024;
}

int dlp_read_memory(pid_t process, struct dlp_memory *memory) {
    int file = open_file_of(process, "status", O_RDONLY);
    if (file < 0) return 0;
    // The list of groups comes before the lines that matter.
    char text[8192];
    ssize_t count = read(file, text, sizeof text - 1);
    close(file);
    if (count <= 0) return 0;
    text[count] = 0;
    // In this order, each at the beginning of a line: the first line holds a name.
    const char *rest = text;
    memory->peak = bytes_of(&rest, "\nVmHWM:");
    memory->present = bytes_of(&rest, "\nVmRSS:");
    return memory->peak > 0;
}

int dlp_take_own_memory(struct dlp_memory *memory) {
    // A peak that cannot begin anew would be the peak of all examples that follow.
    int file = open_file_of(getpid(), "clear_refs", O_WRONLY);
    if (file < 0) return 0;
    int is_known = dlp_read_memory(getpid(), memory) && write(file, "5", 1) == 1;
    close(file);
    if (!is_known) return 0;
    struct dlp_kept_memory kept = dlp_count_kept_memory();
    // The system may have taken the pages of kept blocks.
    if ((int64_t)kept.unused < memory->peak) memory->peak -= (int64_t)kept.unused;
    if ((int64_t)kept.all < memory->present) memory->present -= (int64_t)kept.all;
    return 1;
}

static _Thread_local int64_t highest;

void dlp_note_program_memory(int64_t bytes) {
    if (bytes > highest) highest = bytes;
}

int64_t dlp_take_program_memory(void) {
    int64_t taken = highest;
    highest = 0;
    return taken;
}
