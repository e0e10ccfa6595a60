// Only for builds with ThreadSanitizer, which follows a longjmp where it sees one. Debian's Lua raises its errors by the
// function that checks them first (_FORTIFY_SOURCE), which the sanitizer does not know: it takes all that an error has left
// for running still, and becomes slower with each.
#if __has_feature(thread_sanitizer)

#include <setjmp.h>

_Noreturn void __longjmp_chk(jmp_buf place, int value);

/// Takes the function's place, also for Lua's library.
__attribute__((disable_sanitizer_instrumentation)) _Noreturn void __longjmp_chk(jmp_buf place, int value) {
    longjmp(place, value);
}

#endif
