// tries: an order to end that says it came from outside, in each way that a sender can write down itself
// outcomes: [failed]
// exit_code: 5
// stdout: "went on\n"
// limits: { wall_ms: 5000 }
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
    static const int codes[] = {SI_USER, SI_QUEUE, SI_KERNEL, SI_TIMER, SI_MESGQ, SI_ASYNCIO, SI_TKILL, SI_SIGIO, -60, 1};
    int runner = (int)syscall(SYS_pidfd_open, 1, 0), folder = open("/proc/1", O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i += 1) {
        siginfo_t info;
        memset(&info, 0, sizeof info);
        info.si_signo = SIGTERM;
        info.si_code = codes[i];
        info.si_pid = 0;
        syscall(SYS_rt_sigqueueinfo, 1, SIGTERM, &info);
        syscall(SYS_rt_tgsigqueueinfo, 1, 1, SIGTERM, &info);
        syscall(424, runner, SIGTERM, &info, 0);
        syscall(424, folder, SIGTERM, &info, 0);
    }
    usleep(200000);
    puts("went on");
    return 5;
}
