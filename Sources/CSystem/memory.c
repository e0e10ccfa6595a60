#define _GNU_SOURCE
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

void dlp_prefer_large_pages(void *block, size_t size) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    // Advice is for whole pages; the block's ends may share theirs with others, whom it does no harm.
    uintptr_t begin = (uintptr_t)block & ~(page - 1), end = ((uintptr_t)block + size) & ~(page - 1);
    madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}

int dlp_memory_file(const char *name, size_t size) {
    // To be asked for more than the user's limit on files, which this is to the system, is a signal that kills.
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < size) return -EFBIG;
    int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (descriptor < 0) return -errno;
    if (ftruncate(descriptor, (off_t)size) == 0) return descriptor;
    int error = errno;
    close(descriptor);
    return -error;
}

static const int all_seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

static int fill_and_seal(int descriptor, const char *bytes, size_t count) {
    for (size_t written = 0; written < count;) {
        ssize_t part = pwrite(descriptor, bytes + written, count - written, (off_t)written);
        if (part < 0 && errno != EINTR) return -1;
        if (part > 0) written += (size_t)part;
    }
    return fcntl(descriptor, F_ADD_SEALS, all_seals);
}

int dlp_memory_file_of(const char *name, const void *bytes, size_t count) {
    int descriptor = dlp_memory_file(name, count);
    if (descriptor < 0 || fill_and_seal(descriptor, bytes, count) == 0) return descriptor;
    int error = errno;
    close(descriptor);
    return -error;
}

const void *dlp_map_memory_file(int descriptor, size_t count) {
    struct stat status;
    if (fcntl(descriptor, F_GET_SEALS) != all_seals || fstat(descriptor, &status) || status.st_size != (off_t)count)
        return NULL;
    void *memory = mmap(NULL, count, PROT_READ, MAP_SHARED, descriptor, 0);
    return memory == MAP_FAILED ? NULL : memory;
}
