// tries: a page in every two megabytes, so that the tables of pages weigh as much as the pages
// outcomes: [memory_limit, succeeded]
// limits: { memory_bytes: 33554432, wall_ms: 8000 }
// elsewhere:
//   gvisor: { outcomes: [succeeded, memory_limit, time_limit], reason: "gVisor counts mappings itself, and takes longer than the run has" }
#include <stddef.h>
#include <sys/mman.h>

int main(void)
{
    size_t step = (size_t)2 << 20, pieces = 20000;
    char *memory = mmap(NULL, step * pieces, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return 0;
    for (size_t i = 0; i < pieces; i += 1)
        memory[i * step] = 1;
}
