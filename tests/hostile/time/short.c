// tries: using time in pieces that are shorter than a tick
// outcomes: [cpu_limit]
// limit: cpu
// limits: { cpu_ms: 400, wall_ms: 15000, processes: 32 }
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
    for (;;) {
        pid_t child = fork();
        if (child == 0) {
            for (volatile long i = 0; i < 200000; i += 1) {
            }
            _exit(0);
        }
        waitpid(child, NULL, 0);
    }
}
