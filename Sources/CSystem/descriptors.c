#define _GNU_SOURCE
#include "vfork.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/syscall.h>

// From <linux/close_range.h>, which older systems lack.
#define AT_EXEC 4u

IN_CHILD static void close_each(int first, bool at_exec) {
    int directory = open("/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return;
    // Makes the system call itself: opendir allocates memory, which is the parent's after vfork.
    _Alignas(struct dirent64) char entries[2048];
    for (long size; (size = syscall(SYS_getdents64, directory, entries, sizeof entries)) > 0;) {
        for (struct dirent64 *entry = (void *)entries; (char *)entry < entries + size;
             entry = (void *)((char *)entry + entry->d_reclen)) {
            int descriptor = atoi(entry->d_name);
            if (descriptor < first || descriptor == directory) continue;
            if (at_exec)
                fcntl(descriptor, F_SETFD, FD_CLOEXEC);
            else
                close(descriptor);
        }
    }
    close(directory);
}

IN_CHILD void dlp_close_from(int first, bool at_exec) {
    // Kernels before 5.11 do not know the call, or do not know the flag.
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0u, at_exec ? AT_EXEC : 0) == 0) return;
#endif
    close_each(first, at_exec);
}
