// tries: "signals that the kernel sends for it: by readiness of files, by timers, by its own end"
// outcomes: [failed]
// exit_code: 4
// limits: { wall_ms: 5000 }
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
    static const int signals[] = {SIGTERM, SIGKILL, SIGSTOP, SIGCHLD, SIGIO, SIGSEGV};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i += 1) {
        int ends[2];
        struct f_owner_ex runner = {F_OWNER_TID, 1};
        if (pipe(ends) != 0)
            continue;
        fcntl(ends[0], F_SETOWN_EX, &runner);
        fcntl(ends[0], F_SETSIG, signals[i]);
        fcntl(ends[0], F_SETFL, O_ASYNC);
        for (int k = 0; k < 20; k += 1)
            write(ends[1], "x", 1);
        int lease = open("/tmp/lease", O_CREAT | O_RDONLY, 0600);
        if (fcntl(lease, F_SETLEASE, F_RDLCK) == 0 && fcntl(lease, F_SETOWN, 1) == 0) {
            fcntl(lease, F_SETSIG, signals[i]);
            open("/tmp/lease", O_WRONLY | O_NONBLOCK);
        }
        fcntl(open("/tmp", O_RDONLY), F_NOTIFY, DN_CREATE);
        timer_t timer;
        struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = signals[i]};
        event._sigev_un._tid = 1;
        timer_create(CLOCK_MONOTONIC, &event, &timer);
    }
    usleep(200000);
    return 4;
}
