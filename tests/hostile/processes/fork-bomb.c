// tries: forking in every process without a look at errors, faster than anything can count
// outcomes: [process_limit, cpu_limit]
// limits: { processes: 32, wall_ms: 1500, cpu_ms: 1000 }
#include <unistd.h>

int main(void)
{
    for (;;)
        fork();
}
