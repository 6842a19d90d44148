// tries: a parent that the kernel holds until its child executes something, which it never does
// outcomes: [time_limit]
// limit: wall
// limits: { wall_ms: 300 }
#include <unistd.h>

int main(void)
{
    if (vfork() == 0)
        for (;;)
            pause();
}
