// tries: another user, capabilities, priorities and limits that only root may have
// outcomes: [succeeded]
// stdout: ".*went on\n"
// limits: { wall_ms: 5000 }
// elsewhere:
//   gvisor:
//     outcomes: [succeeded]
//     known: "setpriority.PRIO_PROCESS, 0, -20.: ESCAPED"
//     reason: "gVisor keeps the number and schedules by nothing of it"
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DENIED(call) printf("%s: %s\n", #call, (long)(call) == -1 ? strerrorname_np(errno) : "ESCAPED")

int main(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct all[2] = {{~0u, ~0u, ~0u}, {~0u, ~0u, ~0u}};
    struct sched_param real_time = {.sched_priority = 1};
    struct rlimit most = {RLIM_INFINITY, RLIM_INFINITY};
    gid_t groups[] = {0, 1, 2};
    DENIED(setuid(0));
    DENIED(setgid(0));
    DENIED(setresuid(0, 0, 0));
    DENIED(setgroups(3, groups));
    DENIED(syscall(SYS_capset, &header, all));
    DENIED(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
    DENIED(prctl(PR_SET_SECUREBITS, 0));
    DENIED(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    DENIED(prctl(PR_SET_SECCOMP, 0));
    DENIED(prctl(PR_SET_MM, PR_SET_MM_EXE_FILE, 0, 0, 0));
    DENIED(sched_setscheduler(0, SCHED_FIFO, &real_time));
    DENIED(setpriority(PRIO_PROCESS, 0, -20));
    DENIED(setpriority(PRIO_USER, 0, 19));
    DENIED(setpriority(PRIO_PGRP, 1, 19));
    DENIED(setrlimit(RLIMIT_NOFILE, &most));
    DENIED(setrlimit(RLIMIT_FSIZE, &most));
    DENIED(setrlimit(RLIMIT_CPU, &most));
    DENIED(setrlimit(RLIMIT_MEMLOCK, &most));
    DENIED(setrlimit(RLIMIT_RTPRIO, &most));
    DENIED(open("/proc/self/uid_map", O_WRONLY) < 0 ? -1 : (int)write(open("/proc/self/uid_map", O_WRONLY), "0 0 1", 5));
    DENIED(chown("/work", 0, 0));
    setfsuid(0);
    DENIED(open("/etc/shadow", O_RDONLY));
    if (getuid() == 0 || geteuid() == 0 || setfsuid(-1) == 0)
        puts("ESCAPED");
    puts("went on");
}
