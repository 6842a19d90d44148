// tries: an order to end of which the kernel has forgotten the sender, since its user's queue of signals was full
// outcomes: [failed]
// exit_code: 5
// stdout: "went on\n"
// limits: { wall_ms: 8000, memory_bytes: 134217728 }
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    long queued = 0;
    while (queued < 1000000 && sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0)
        queued += 1;
    siginfo_t info;
    memset(&info, 0, sizeof info);
    info.si_signo = SIGTERM;
    info.si_code = SI_QUEUE;
    for (int i = 0; i < 100; i += 1) {
        syscall(SYS_rt_sigqueueinfo, 1, SIGTERM, &info);
        kill(1, SIGTERM);
    }
    usleep(300000);
    puts("went on");
    return 5;
}
