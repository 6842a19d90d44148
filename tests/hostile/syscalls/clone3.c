// tries: the calls whose flags no filter can see
// outcomes: [succeeded]
// stdout: ".*went on\n"
// limits: { wall_ms: 5000 }
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DENIED(call) printf("%s: %s\n", #call, (long)(call) == -1 ? strerrorname_np(errno) : "ESCAPED")

int main(void)
{
    uint64_t user[11] = {0x10000000 /* CLONE_NEWUSER */}, cgroup[11] = {0x200000000 /* CLONE_INTO_CGROUP */};
    char parameters[256] = {0};
    DENIED(syscall(435, user, sizeof user));
    DENIED(syscall(435, cgroup, sizeof cgroup));
    DENIED(syscall(425, 8, parameters));
    DENIED(syscall(426, 0, 1, 1, 0, 0, 0));
    DENIED(syscall(427, 0, 0, parameters, 1));
    puts("went on");
}
