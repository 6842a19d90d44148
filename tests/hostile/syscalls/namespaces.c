// tries: namespaces of its own, in which it would be root
// outcomes: [succeeded]
// stdout: ".*went on\n"
// limits: { wall_ms: 5000 }
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DENIED(call) printf("%s: %s\n", #call, (long)(call) == -1 ? strerrorname_np(errno) : "ESCAPED")

int main(void)
{
    static const int flags[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWNET,    CLONE_NEWPID,
                                CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP, 0x80 /* CLONE_NEWTIME */};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i += 1) {
        DENIED(unshare(flags[i]));
        DENIED(unshare(flags[i] | CLONE_NEWUSER));
        if (flags[i] != 0x80) {
            DENIED(syscall(SYS_clone, flags[i] | SIGCHLD, 0, 0, 0, 0));
            DENIED(syscall(SYS_clone, flags[i] | CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
        }
    }
    static const char *const files[] = {"user", "mnt", "net", "pid", "ipc", "uts", "cgroup"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i += 1) {
        char path[64];
        snprintf(path, sizeof path, "/proc/self/ns/%s", files[i]);
        DENIED(setns(open(path, O_RDONLY), 0));
    }
    DENIED(setns((int)syscall(SYS_pidfd_open, 1, 0), CLONE_NEWNS | CLONE_NEWNET));
    puts("went on");
}
