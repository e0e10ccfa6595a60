#define _GNU_SOURCE
#include "blocks.h"
#include "CSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

// Linux 6.3 and later want to know whether there may be a program in the memory, and some systems are set to refuse
// that.
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static int create(const char *name) {
    int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    return descriptor < 0 && errno == EINVAL ? memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING) : descriptor;
}

static int failed(int descriptor) {
    int error = errno;
    close(descriptor);
    return -error;
}

static int seals(enum dlp_promise promise) {
    static const int size = F_SEAL_SHRINK | F_SEAL_GROW;
    switch (promise) {
    case dlp_promise_nothing: return 0;
    case dlp_promise_size: return size;
    case dlp_promise_all: break;
    }
    return size | F_SEAL_WRITE | F_SEAL_SEAL;
}

/// Whether a file may have that size. The user's limit counts for memory files, too, and asking for more raises a
/// signal that kills.
static int may_have(size_t size) {
    struct rlimit limit;
    return getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur >= size;
}

int dlp_memory_file(const char *name, size_t size, enum dlp_promise promise) {
    if (!may_have(size)) return -EFBIG;
    int descriptor = create(name);
    if (descriptor < 0) return -errno;
    if (ftruncate(descriptor, (off_t)size) || fcntl(descriptor, F_ADD_SEALS, seals(promise))) return failed(descriptor);
    return descriptor;
}

int dlp_write_memory_file(int descriptor, size_t offset, const void *bytes, size_t count) {
    for (size_t written = 0; written < count;) {
        ssize_t part = pwrite(descriptor, (const char *)bytes + written, count - written, (off_t)(offset + written));
        if (part < 0 && errno != EINTR) return -1;
        if (part > 0) written += (size_t)part;
    }
    return 0;
}

void dlp_populate_memory_file(void *block, size_t offset, size_t count) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), begin = offset & ~(page - 1);
    // Linux 5.14 and later; without it the pages come one by one.
    madvise((char *)block + begin, offset + count - begin, MADV_POPULATE_WRITE);
}

int dlp_memory_file_of(const char *name, const void *bytes, size_t count) {
    int descriptor = dlp_memory_file(name, count, dlp_promise_nothing);
    if (descriptor < 0) return descriptor;
    if (dlp_write_memory_file(descriptor, 0, bytes, count)) return failed(descriptor);
    if (fcntl(descriptor, F_ADD_SEALS, seals(dlp_promise_all))) return failed(descriptor);
    return descriptor;
}

int dlp_memory_file_has(int descriptor, size_t size, enum dlp_promise promise) {
    struct stat status;
    // There may be more seals than ours.
    int wanted = seals(promise), found = fcntl(descriptor, F_GET_SEALS);
    return found >= 0 && (found & wanted) == wanted && !fstat(descriptor, &status) && status.st_size == (off_t)size;
}

const void *dlp_map_memory_file(int descriptor, size_t count) {
    struct stat status;
    if (!dlp_memory_file_has(descriptor, count, dlp_promise_all)) return NULL;
    // Where nothing was written, there is no memory either until it is read.
    if (fstat(descriptor, &status) || (uint64_t)status.st_blocks * 512 < count) return NULL;
    void *memory = mmap(NULL, count, PROT_READ, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) return NULL;
    madvise(memory, count, MADV_HUGEPAGE);
    return memory;
}

void *dlp_grow_memory_file(int descriptor, void *block, size_t size, size_t wanted) {
    if (!may_have(wanted) || ftruncate(descriptor, (off_t)wanted)) return NULL;
    // The kept blocks cannot be used for this, and they count as resident.
    if (block == NULL) free_kept_blocks();
    void *grown = block == NULL ? mmap(NULL, wanted, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
                                : mremap(block, size, wanted, MREMAP_MAYMOVE);
    if (grown == MAP_FAILED) return NULL;
    // Getting its pages one by one takes longer than filling them.
    madvise(grown, wanted, MADV_HUGEPAGE);
    return grown;
}

const void *dlp_finish_memory_file(int descriptor, void *block, size_t size, size_t count) {
    // There can be no promise as long as the memory is mapped for writing.
    munmap(block, size);
    if (ftruncate(descriptor, (off_t)count) || fcntl(descriptor, F_ADD_SEALS, seals(dlp_promise_all))) return NULL;
    return dlp_map_memory_file(descriptor, count);
}
