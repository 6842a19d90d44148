// tries: memory that can't be taken back, and memory of the machine's pool of huge pages
// outcomes: [succeeded]
// stdout: ".*went on\n"
// limits: { wall_ms: 5000 }
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>

#define DENIED(call) printf("%s: %s\n", #call, (long)(call) == -1 ? strerrorname_np(errno) : "ESCAPED")

int main(void)
{
    static char memory[1 << 20];
    DENIED(mlock(memory, sizeof memory));
    DENIED(mlockall(MCL_CURRENT | MCL_FUTURE));
    DENIED(mmap(NULL, 2 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0));
    DENIED(memfd_create("huge", MFD_HUGETLB));
    DENIED(shmget(IPC_PRIVATE, 2 << 20, IPC_CREAT | SHM_HUGETLB));
    puts("went on");
}
