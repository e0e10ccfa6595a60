// Only for builds with ThreadSanitizer, which handles a longjmp only if it intercepts it. Debian's Lua raises its errors by
// the checking variant of the function (_FORTIFY_SOURCE), which the sanitizer does not know: it believes that all functions
// left by an error are still running, and becomes slower with each error.
#if __has_feature(thread_sanitizer)

#include <setjmp.h>

_Noreturn void __longjmp_chk(jmp_buf place, int value);

/// Replaces that function, also for Lua's library.
__attribute__((disable_sanitizer_instrumentation)) _Noreturn void __longjmp_chk(jmp_buf place, int value) {
    longjmp(place, value);
}

#endif
