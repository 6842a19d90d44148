// tries: an end by a limit of time that it gave itself, lower than the runner's
// outcomes: [cpu_limit, signaled]
// limits: { cpu_ms: 1500, wall_ms: 10000 }
#include <signal.h>
#include <sys/resource.h>

int main(void)
{
    struct rlimit second = {1, 1};
    signal(SIGXCPU, SIG_IGN);
    setrlimit(RLIMIT_CPU, &second);
    for (;;) {
    }
}
