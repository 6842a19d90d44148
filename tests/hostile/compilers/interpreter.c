// tries: a loader of its own choice, which the kernel opens for it
// outcomes: [succeeded, failed, signaled]
// limits: { wall_ms: 3000 }
#include <unistd.h>

const char interpreter[] __attribute__((section(".interp"), used)) = "/proc/1/exe";

int main(void)
{
    return 0;
}
