#define _GNU_SOURCE
#include "CSystem.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MEMORY_NAME "dlp-bells"

// Each bell has a cache line of its own: different ranks write them.
struct bell {
    _Alignas(64) _Atomic(uint32_t) rings;
    _Atomic(uint32_t) announced;
    _Atomic(uint32_t) is_asleep;
};

struct dlp_bells {
    uint64_t nonce[2];
    _Atomic(uint32_t) finders;
    struct bell bells[];
};

static size_t size_of(uint32_t count) { return sizeof(struct dlp_bells) + count * sizeof(struct bell); }

static struct dlp_bells *map(size_t size, int flags, int descriptor) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, descriptor, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

struct dlp_bells *dlp_bells_make(uint32_t count) { return map(size_of(count), MAP_PRIVATE | MAP_ANONYMOUS, -1); }

struct dlp_bells *dlp_bells_make_shared(uint32_t count, struct dlp_bells_address *address) {
    *address = (struct dlp_bells_address){.process = getpid(), .count = count};
    bool is_unique = getrandom(address->nonce, sizeof address->nonce, 0) == sizeof address->nonce;
    address->descriptor = is_unique ? dlp_memory_file(MEMORY_NAME, size_of(count), dlp_promise_size) : -1;
    struct dlp_bells *bells =
        address->descriptor >= 0 ? map(size_of(count), MAP_SHARED, address->descriptor) : dlp_bells_make(count);
    if (bells != NULL) memcpy(bells->nonce, address->nonce, sizeof bells->nonce);
    return bells;
}

// Opens nothing but memory of this name: opening a device or a pipe of a stranger could have an effect.
static int open_memory(const struct dlp_bells_address *address) {
    static const char expected[] = "/memfd:" MEMORY_NAME;
    char path[64], target[sizeof expected - 1];
    snprintf(path, sizeof path, "/proc/%lld/fd/%d", (long long)address->process, address->descriptor);
    if (readlink(path, target, sizeof target) != sizeof target || memcmp(target, expected, sizeof target) != 0) return -1;
    return open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

struct dlp_bells *dlp_bells_find(const struct dlp_bells_address *address) {
    int descriptor = open_memory(address);
    if (descriptor < 0) return NULL;
    size_t size = size_of(address->count);
    struct dlp_bells *bells =
        dlp_memory_file_has(descriptor, size, dlp_promise_size) ? map(size, MAP_SHARED, descriptor) : NULL;
    close(descriptor);
    if (bells == NULL) return NULL;
    if (memcmp(bells->nonce, address->nonce, sizeof bells->nonce) != 0) {
        munmap(bells, size);
        return NULL;
    }
    atomic_fetch_add(&bells->finders, 1);
    return bells;
}

void dlp_bells_close(struct dlp_bells *bells, uint32_t count) { munmap(bells, size_of(count)); }

uint32_t dlp_bells_finders(const struct dlp_bells *bells) { return atomic_load(&bells->finders); }

uint32_t dlp_bell_rings(const struct dlp_bells *bells, uint32_t rank) { return atomic_load(&bells->bells[rank].rings); }

void dlp_bell_ring(struct dlp_bells *bells, uint32_t rank) {
    struct bell *bell = &bells->bells[rank];
    atomic_fetch_add(&bell->rings, 1);
    // The sleeper sets its flag first, and then lets the system compare the count: so either the ringer or the sleeper
    // sees the other. A ringer may resume after the sleeper has gone back to sleep, so only the sleeper clears the
    // flag.
    if (atomic_load(&bell->is_asleep)) syscall(SYS_futex, &bell->rings, FUTEX_WAKE, 1, NULL, NULL, 0);
}

void dlp_bell_announce(struct dlp_bells *bells, uint32_t rank) {
    atomic_fetch_add(&bells->bells[rank].announced, 1);
    dlp_bell_ring(bells, rank);
}

uint32_t dlp_bell_announced(const struct dlp_bells *bells, uint32_t rank) {
    return atomic_load(&bells->bells[rank].announced);
}

int dlp_bell_wait(struct dlp_bells *bells, uint32_t rank, uint32_t heard, uint64_t nanoseconds) {
    struct bell *bell = &bells->bells[rank];
    struct timespec rest = {.tv_sec = (time_t)(nanoseconds / 1000000000), .tv_nsec = (long)(nanoseconds % 1000000000)};
    atomic_store(&bell->is_asleep, 1);
    // Returns early where the bell has been rung, and at a signal, which is as good a reason to look.
    syscall(SYS_futex, &bell->rings, FUTEX_WAIT, heard, &rest, NULL, 0);
    atomic_store(&bell->is_asleep, 0);
    return atomic_load(&bell->rings) != heard;
}
