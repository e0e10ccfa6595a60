#include "CSystem.h"

#include <fcntl.h>
#include <sys/vfs.h>
#include <unistd.h>

void dlp_keep_standard_descriptors(void) {
    for (int descriptor = 0; descriptor <= 2; descriptor++) {
        // The lowest that is free is taken, and it is not closed where another program is started.
        if (fcntl(descriptor, F_GETFD) < 0) open("/dev/null", descriptor == 0 ? O_WRONLY : O_RDONLY);
    }
}

uint32_t dlp_file_system(const char *path) {
    struct statfs information;
    return statfs(path, &information) == 0 ? (uint32_t)information.f_type : 0;
}
