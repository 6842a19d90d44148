// tries: keeping orphans to itself, so that nobody else learns of their end
// outcomes: [succeeded]
// stdout: "adopted [0-9]+\n"
// limits: { processes: 64, wall_ms: 4000 }
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(void)
{
    int orphans = 0;
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    for (; orphans < 20; orphans += 1)
        if (fork() == 0) {
            if (fork() == 0)
                for (;;)
                    pause();
            _exit(0);
        }
    printf("adopted %d\n", orphans);
}
