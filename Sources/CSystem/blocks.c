#define _GNU_SOURCE
#include "blocks.h"
#include "CSystem.h"

#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

/// Gives the system advice on a block's memory. Advice is for whole pages.
static void advise(void *block, size_t size, int advice, bool with_shared_ends) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), begin = (uintptr_t)block, end = begin + size;
    if (with_shared_ends) end += page - 1;
    else begin += page - 1;
    begin &= ~(page - 1);
    end &= ~(page - 1);
    if (end > begin) madvise((void *)begin, end - begin, advice);
}

// MARK: Blocks that are kept

static void *remove_slot(struct dlp_spares *spares, size_t index) {
    void *block = spares->slots[index].block;
    spares->count--;
    memmove(&spares->slots[index], &spares->slots[index + 1], (spares->count - index) * sizeof spares->slots[0]);
    return block;
}

static size_t total(const struct dlp_spares *spares) {
    size_t sum = 0;
    for (size_t i = 0; i < spares->count; i++) sum += spares->slots[i].size;
    return sum;
}

bool dlp_keep_spare(struct dlp_spares *spares, void *block) {
    size_t size = malloc_usable_size(block), most = sizeof spares->slots / sizeof spares->slots[0];
    if (size > dlp_most_spare) return false;
    while (spares->count == most || total(spares) > dlp_most_spare - size) free(remove_slot(spares, 0));
    // Its content is not needed any more; the system may drop it, page by page, until it is written to again.
    advise(block, size, MADV_FREE, false);
    spares->slots[spares->count] = (struct dlp_spare){.block = block, .size = size};
    spares->count++;
    return true;
}

void *dlp_take_spare(struct dlp_spares *spares, size_t size) {
    size_t best = spares->count;
    for (size_t i = 0; i < spares->count; i++) {
        size_t found = spares->slots[i].size;
        if (found < size || found - size > size / 4) continue;
        if (best == spares->count || found < spares->slots[best].size) best = i;
    }
    if (best < spares->count) return remove_slot(spares, best);
    dlp_free_spares(spares);
    return NULL;
}

bool dlp_free_spares(struct dlp_spares *spares) {
    if (spares->count == 0) return false;
    while (spares->count > 0) free(remove_slot(spares, spares->count - 1));
    return true;
}

// MARK: Those of this process

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct dlp_spares of_process;

static void *take(size_t size) {
    pthread_mutex_lock(&lock);
    void *block = dlp_take_spare(&of_process, size);
    pthread_mutex_unlock(&lock);
    return block;
}

static bool keep(void *block) {
    // Where the address space is limited, kept blocks would count, and code that allocates in other ways would lack
    // them.
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) || limit.rlim_cur != RLIM_INFINITY) return false;
    pthread_mutex_lock(&lock);
    bool is_kept = dlp_keep_spare(&of_process, block);
    pthread_mutex_unlock(&lock);
    return is_kept;
}

bool free_kept_blocks(void) {
    pthread_mutex_lock(&lock);
    bool were_there = dlp_free_spares(&of_process);
    pthread_mutex_unlock(&lock);
    return were_there;
}

/// How many bytes of a block are in memory: fewer than its size where parts of it were never written to.
static size_t resident(void *block, size_t size) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE), sum = 0;
    uintptr_t begin = ((uintptr_t)block + page - 1) & ~(page - 1), end = ((uintptr_t)block + size) & ~(page - 1);
    unsigned char pages[4096];
    while (begin < end) {
        size_t part = end - begin;
        if (part > sizeof pages * page) part = sizeof pages * page;
        if (mincore((void *)begin, part, pages) != 0) return 0;
        for (size_t i = 0; i < part / page; i++) sum += pages[i] & 1 ? page : 0;
        begin += part;
    }
    return sum;
}

struct dlp_kept_memory dlp_count_kept_memory(void) {
    struct dlp_kept_memory kept = {0};
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < of_process.count; i++) {
        struct dlp_spare *spare = &of_process.slots[i];
        if (spare->is_counted) kept.unused += spare->resident;
        else spare->resident = resident(spare->block, spare->size);
        spare->is_counted = true;
        kept.all += spare->resident;
    }
    pthread_mutex_unlock(&lock);
    return kept;
}

void *dlp_realloc_large(void *block, size_t size) {
    // A large block grows by moving its pages, not what is in them.
    size_t old_size = malloc_usable_size(block);
    void *spare = old_size < dlp_large_block ? take(size) : NULL;
    if (spare != NULL) {
        if (old_size > 0) memcpy(spare, block, old_size);
        free(block);
        return spare;
    }
    void *moved = realloc(block, size);
    if (moved == NULL && free_kept_blocks()) moved = realloc(block, size);
    // The first and the last page may be shared with other blocks, which the advice does not harm. The advice must be
    // for all of the mapping: if one part had it and the other did not, the system would not move the pages, and all
    // that is in them would be copied.
    if (moved != NULL) advise(moved, malloc_usable_size(moved), MADV_HUGEPAGE, true);
    return moved;
}

void dlp_free_large(void *block) {
    if (!keep(block)) free(block);
}
