// tries: a million mappings of a page each, which cost the kernel more than their memory
// outcomes: [succeeded, memory_limit]
// limits: { memory_bytes: 50331648, wall_ms: 8000 }
// elsewhere:
//   gvisor: { outcomes: [succeeded, memory_limit, time_limit], reason: "gVisor counts mappings itself, and takes longer than the run has" }
#include <stdio.h>
#include <sys/mman.h>

int main(void)
{
    for (int i = 0; i < 1000000; i += 1)
        if (mmap(NULL, 4096, i % 2 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
            break;
    puts("went on");
}
