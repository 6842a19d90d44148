// tries: every call there is, with nothing, with numbers and with addresses
// outcomes: [succeeded, process_limit]
// stdout: "went on\n"
// limits: { wall_ms: 15000, processes: 64 }
// elsewhere:
//   gvisor: { outcomes: [succeeded, process_limit, cpu_limit, time_limit], reason: "gVisor forks slowly, and it takes more than its time" }
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char memory[1 << 16];

static void call(long number, long argument)
{
    signal(SIGALRM, SIG_DFL);
    ualarm(3000, 0);
    close(0);
    close(1);
    close(2);
    syscall(number, argument, argument, argument, argument, argument, argument);
    _exit(0);
}

int main(void)
{
    long arguments[] = {0, -1, 1, (long)memory};
    for (long number = 0; number < 480; number += 1)
        for (int i = 0; i < 4; i += 1) {
            pid_t child = fork();
            if (child == 0) {
                setsid();
                call(number, arguments[i]);
            }
            if (child > 0)
                waitpid(child, NULL, 0);
        }
    puts("went on");
}
