// tries: changing the runner's mind, by its memory, its registers or its descriptors
// outcomes: [failed]
// exit_code: 6
// stdout: ".*went on\n"
// limits: { wall_ms: 5000 }
// elsewhere:
//   gvisor:
//     outcomes: [failed]
//     exit_code: 6
//     known: "openat.runner, \"(comm|ns/mnt)\", O_[A-Z]+.: ESCAPED"
//     reason: "the runner's name tells nobody anything, and no call enters a namespace"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define DENIED(call) printf("%s: %s\n", #call, (long)(call) == -1 ? strerrorname_np(errno) : "ESCAPED")

int main(void)
{
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};
    int runner = open("/proc/1", O_RDONLY | O_DIRECTORY);
    DENIED(ptrace(PTRACE_ATTACH, 1, NULL, NULL));
    DENIED(ptrace(PTRACE_SEIZE, 1, NULL, NULL));
    DENIED(process_vm_readv(1, &here, 1, &there, 1, 0));
    DENIED(process_vm_writev(1, &here, 1, &there, 1, 0));
    DENIED(openat(runner, "mem", O_RDWR));
    DENIED(openat(runner, "fd/1", O_WRONLY));
    DENIED(openat(runner, "environ", O_RDONLY));
    DENIED(openat(runner, "exe", O_RDONLY));
    DENIED(openat(runner, "root/etc", O_RDONLY));
    DENIED(openat(runner, "cwd", O_RDONLY));
    DENIED(openat(runner, "ns/mnt", O_RDONLY));
    DENIED(openat(runner, "oom_score_adj", O_WRONLY));
    DENIED(openat(runner, "coredump_filter", O_WRONLY));
    DENIED(openat(runner, "clear_refs", O_WRONLY));
    DENIED(openat(runner, "sched", O_WRONLY));
    DENIED(openat(runner, "timerslack_ns", O_WRONLY));
    DENIED(openat(runner, "comm", O_WRONLY));
    DENIED(openat(runner, "attr/current", O_WRONLY));
    DENIED(syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, 1, 0), 1, 0));
    DENIED(syscall(SYS_kcmp, 1, getpid(), 0, 1, 1));
    DENIED(syscall(440, runner, &there, 1, 4, 0));
    puts("went on");
    return 6;
}
