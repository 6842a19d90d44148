// tries: a core dump, which would be written outside of every limit
// outcomes: [signaled]
// signal: SIGABRT
// stdout: "EPERM\n"
// limits: { wall_ms: 5000 }
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

int main(void)
{
    struct rlimit most = {RLIM_INFINITY, RLIM_INFINITY};
    puts(setrlimit(RLIMIT_CORE, &most) == 0 ? "ESCAPED" : strerrorname_np(errno));
    fflush(stdout);
    prctl(PR_SET_DUMPABLE, 1);
    abort();
}
