// tries: a runner that gets no time any more
// outcomes: [failed]
// exit_code: 3
// stdout: ".*went on\n"
// limits: { wall_ms: 5000 }
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DENIED(call) printf("%s: %s\n", #call, (long)(call) == -1 ? strerrorname_np(errno) : "ESCAPED")

int main(void)
{
    struct sched_param none = {0};
    uint32_t attributes[12] = {48, SCHED_IDLE};
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    DENIED(sched_setscheduler(1, SCHED_IDLE, &none));
    DENIED(sched_setscheduler(1, SCHED_BATCH, &none));
    DENIED(sched_setparam(1, &none));
    DENIED(sched_setaffinity(1, sizeof first, &first));
    DENIED(syscall(SYS_sched_setattr, 1, attributes, 0));
    DENIED(setpriority(PRIO_PROCESS, 1, 19));
    DENIED(setpriority(PRIO_USER, getuid(), 19));
    DENIED(syscall(SYS_ioprio_set, 1, 1, 3 << 13));
    DENIED(syscall(SYS_ioprio_set, 3, getuid(), 3 << 13));
    DENIED(syscall(SYS_ioprio_set, 2, 1, 3 << 13));
    DENIED(syscall(SYS_process_mrelease, syscall(SYS_pidfd_open, 1, 0), 0));
    puts("went on");
    return 3;
}
