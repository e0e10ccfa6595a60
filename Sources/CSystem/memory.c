#define _GNU_SOURCE
#include "CSystem.h"

#include <sys/mman.h>
#include <unistd.h>

void dlp_prefer_large_pages(void *block, size_t size) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    // Advice is for whole pages; the block's ends may share theirs with others, whom it does no harm.
    uintptr_t begin = (uintptr_t)block & ~(page - 1), end = ((uintptr_t)block + size) & ~(page - 1);
    madvise((void *)begin, end - begin, MADV_HUGEPAGE);
}
