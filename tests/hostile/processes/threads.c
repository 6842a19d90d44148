// tries: threads until there are no more
// outcomes: [process_limit]
// limit: processes
// exit_code: 3
// stdout: "[0-9]+ threads\n"
// limits: { processes: 32, wall_ms: 4000 }
// elsewhere:
//   gvisor: { outcomes: [process_limit, failed], reason: gVisor tells nobody that it refused a process }
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static void *wait_for_ever(void *nothing)
{
    for (;;)
        pause();
    return nothing;
}

int main(void)
{
    pthread_t thread;
    int count = 0;
    while (pthread_create(&thread, NULL, wait_for_ever, NULL) == 0)
        count += 1;
    printf("%d threads\n", count);
    return 3;
}
