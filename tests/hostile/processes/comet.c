// tries: being where no kill finds it, by forking and ending all the time while its main process has ended
// outcomes: [succeeded, process_limit]
// limits: { processes: 32, wall_ms: 2000, cpu_ms: 1500 }
#include <signal.h>
#include <unistd.h>

int main(void)
{
    signal(SIGCHLD, SIG_IGN);
    for (int comets = 0; comets < 6; comets += 1)
        if (fork() == 0)
            for (;;) {
                setsid();
                if (fork() > 0)
                    _exit(0);
            }
    usleep(100000);
    return 0;
}
