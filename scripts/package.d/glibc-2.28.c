// Functions of glibc that the programs and the libraries inside them use and 2.28 does not have; linked into packages
// only.
#define _GNU_SOURCE
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

// These names are not visible outside of the program.
#pragma clang attribute push(__attribute__((visibility("hidden"))), apply_to = any(function, variable))

// MARK: - Functions

// From 2.30 on.
pid_t gettid(void) { return (pid_t)syscall(SYS_gettid); }
int tgkill(pid_t process, pid_t thread, int signal) { return (int)syscall(SYS_tgkill, process, thread, signal); }

/// From 2.32 on: whether there never was a second thread, so that the C++ library may omit locks. It never may here.
char __libc_single_threaded = 0;

#pragma clang attribute pop

// From 2.33 on. Before, the function took a number for the structure's layout, which is 1 on this machine.
extern int __xstat(int, const char *, void *), __lxstat(int, const char *, void *), __fxstat(int, int, void *);

#pragma clang attribute push(__attribute__((visibility("hidden"))), apply_to = any(function, variable))

int stat(const char *restrict path, struct stat *restrict s) { return __xstat(1, path, s); }
int lstat(const char *restrict path, struct stat *restrict s) { return __lxstat(1, path, s); }
int fstat(int file, struct stat *s) { return __fxstat(1, file, s); }
int stat64(const char *restrict path, struct stat64 *restrict s) { return __xstat(1, path, s); }
int lstat64(const char *restrict path, struct stat64 *restrict s) { return __lxstat(1, path, s); }
int fstat64(int file, struct stat64 *s) { return __fxstat(1, file, s); }

// MARK: - Start

// Since 2.34 glibc itself calls a program's initializers, and the start code of this machine relies on that. Before,
// the start code passed a function that does so, which every glibc still calls.
typedef void initializer(int, char **, char **);
extern initializer *__preinit_array_start[], *__preinit_array_end[], *__init_array_start[], *__init_array_end[];
extern void _init(void);

void dlp_initialize(int count, char **arguments, char **environment) {
    for (initializer **next = __preinit_array_start; next < __preinit_array_end; next++)
        (*next)(count, arguments, environment);
    _init();
    for (initializer **next = __init_array_start; next < __init_array_end; next++)
        (*next)(count, arguments, environment);
}

#pragma clang attribute pop

// __libc_start_main(main, argc, argv, dlp_initialize, NULL, at_exit, stack_end)
__asm__(".text\n"
        ".globl dlp_start\n"
        ".hidden dlp_start\n"
        ".type dlp_start, @function\n"
        "dlp_start:\n"
        ".cfi_startproc\n"
        ".cfi_undefined rip\n"
        "    xorl %ebp, %ebp\n"
        "    movq %rdx, %r9\n"
        "    popq %rsi\n"
        "    movq %rsp, %rdx\n"
        "    andq $-16, %rsp\n"
        "    pushq %rax\n"
        "    pushq %rsp\n"
        "    xorl %r8d, %r8d\n"
        "    leaq dlp_initialize(%rip), %rcx\n"
        "    leaq main(%rip), %rdi\n"
        "    call *__libc_start_main@GOTPCREL(%rip)\n"
        "    hlt\n"
        ".cfi_endproc\n");
