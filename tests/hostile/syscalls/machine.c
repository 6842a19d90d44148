// tries: "the machine itself: modules, swap, another kernel, the clock, the name, the log, ports, a restart"
// outcomes: [succeeded]
// stdout: ".*went on\n"
// limits: { wall_ms: 5000 }
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#define DENIED(call) printf("%s: %s\n", #call, (long)(call) == -1 ? strerrorname_np(errno) : "ESCAPED")

int main(void)
{
    struct timespec time = {1000000000, 0};
    struct timeval day = {1000000000, 0};
    struct timex adjustment = {.modes = ADJ_OFFSET};
    DENIED(syscall(SYS_init_module, "x", 1, ""));
    DENIED(syscall(SYS_finit_module, 0, "", 0));
    DENIED(syscall(SYS_delete_module, "x", 0));
    DENIED(syscall(SYS_kexec_load, 0, 0, NULL, 0));
    DENIED(swapon("/tmp/x", 0));
    DENIED(swapoff("/tmp/x"));
    DENIED(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL));
    DENIED(acct("/tmp/x"));
    DENIED(syscall(SYS_syslog, 3, NULL, 0));
    DENIED(clock_settime(CLOCK_REALTIME, &time));
    DENIED(settimeofday(&day, NULL));
    DENIED(adjtimex(&adjustment));
    DENIED(sethostname("x", 1));
    DENIED(setdomainname("x", 1));
    DENIED(vhangup());
#ifdef SYS_iopl
    DENIED(syscall(SYS_iopl, 3));
    DENIED(syscall(SYS_ioperm, 0, 1, 1));
    DENIED(syscall(SYS_modify_ldt, 1, &time, sizeof time));
#endif
    puts("went on");
}
