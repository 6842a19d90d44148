// tries: printing after the end of its main process
// outcomes: [succeeded]
// stdout: "x*"
// limits: { wall_ms: 5000 }
#include <unistd.h>

int main(void)
{
    if (fork() == 0) {
        setsid();
        for (;;) {
            write(1, "x", 1);
            usleep(100);
        }
    }
    return 0;
}
