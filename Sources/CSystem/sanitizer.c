// Only for builds with ThreadSanitizer. It sees what the program does but not what the Swift runtime does, since that
// is not built with it. Where threads meet at a Mutex of Synchronization, the runtime waits in the kernel. Without
// these functions the sanitizer would take accesses to what the lock protects for a race.
#if defined(__linux__) && __has_feature(thread_sanitizer)

#define _GNU_SOURCE
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>
#include <stdint.h>

#define SWIFT_METHOD __attribute__((swiftcall))
#define SWIFT_SELF __attribute__((swift_context)) void *self

// The inlined part of Mutex calls these where the lock is not free, or others wait for it.
#define LOCK "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"

SWIFT_METHOD void dlp_mutex_lock(uint32_t thread, SWIFT_SELF) __asm__(LOCK);
SWIFT_METHOD void dlp_mutex_unlock(SWIFT_SELF) __asm__(UNLOCK);

SWIFT_METHOD void dlp_mutex_lock(uint32_t thread, SWIFT_SELF) {
    typedef SWIFT_METHOD void function(uint32_t, SWIFT_SELF);
    function *original = (function *)dlsym(RTLD_NEXT, LOCK);
    original(thread, self);
    __tsan_acquire(self);
}

SWIFT_METHOD void dlp_mutex_unlock(SWIFT_SELF) {
    typedef SWIFT_METHOD void function(SWIFT_SELF);
    function *original = (function *)dlsym(RTLD_NEXT, UNLOCK);
    __tsan_release(self);
    original(self);
}

#endif
