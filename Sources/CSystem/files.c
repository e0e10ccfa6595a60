#include "CSystem.h"

#include <sys/vfs.h>

uint32_t dlp_file_system(const char *path) {
    struct statfs information;
    return statfs(path, &information) == 0 ? (uint32_t)information.f_type : 0;
}
