// tries: keeping the runner busy with ends of children that are not its own, and with more than one signal can tell
// outcomes: [failed, process_limit]
// limits: { wall_ms: 6000, processes: 64, cpu_ms: 4000 }
#include <signal.h>
#include <unistd.h>

int main(void)
{
    for (int i = 0; i < 2000; i += 1) {
        if (fork() == 0) {
            if (fork() == 0)
                _exit(0);
            _exit(0);
        }
        kill(1, SIGCHLD);
    }
    return 6;
}
