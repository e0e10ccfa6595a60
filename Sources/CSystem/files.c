#define _GNU_SOURCE

#include "CSystem.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/// Makes reading and writing block where a parent has left the descriptor non-blocking, which hardly any program
/// expects.
static void let_wait(int descriptor) {
    struct stat status;
    int flags = fcntl(descriptor, F_GETFL);
    if (flags < 0 || !(flags & O_NONBLOCK) || fstat(descriptor, &status)) return;
    if (S_ISFIFO(status.st_mode) || isatty(descriptor)) {
        // An open file description of our own leaves the parent's as it is. The other end of a pipe may be missing, and
        // opening must not wait for it.
        char path[32];
        snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
        int own = open(path, (flags & (O_ACCMODE | O_APPEND)) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (own >= 0) {
            dup2(own, descriptor);
            close(own);
        }
    }
    fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK);
}

void dlp_keep_standard_descriptors(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        // The lowest free number is taken, and the descriptor is not closed where another program is started.
        if (fcntl(descriptor, F_GETFD) < 0) open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
        let_wait(descriptor);
    }
}

uint32_t dlp_file_system(const char *path) {
    struct statfs information;
    return statfs(path, &information) == 0 ? (uint32_t)information.f_type : 0;
}

size_t dlp_take_read_ahead(void *bytes, size_t capacity) {
    // A thread that reads at this moment leaves nothing over.
    if (ftrylockfile(stdin)) return 0;
    // There is no standard way to ask for it: this is glibc's.
    size_t ahead = (size_t)(stdin->_IO_read_end - stdin->_IO_read_ptr);
    size_t count = fread_unlocked(bytes, 1, ahead < capacity ? ahead : capacity, stdin);
    funlockfile(stdin);
    return count;
}

int dlp_open_directory(const char *path) { return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC); }
