// tries: what was in memory before it, in new pages, in the stack and in files and pipes that it never wrote
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { wall_ms: 8000, memory_bytes: 134217728, file_bytes: 33554432 }
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

static void search(const char *name, const char *memory, size_t length)
{
    for (size_t i = 0; memory != MAP_FAILED && memory != NULL && i < length; i += 1)
        if (memory[i] != 0) {
            printf("ESCAPED %s at %zu\n", name, i);
            return;
        }
}

int main(void)
{
    size_t length = 16 << 20;
    search("pages", mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), length);
    search("heap", calloc(1, length), length);
    int file = open("/tmp/file", O_CREAT | O_RDWR, 0600);
    if (ftruncate(file, (off_t)length) == 0)
        search("file", mmap(NULL, length, PROT_READ, MAP_SHARED, file, 0), length);
    int memory = memfd_create("memory", 0);
    if (ftruncate(memory, (off_t)length) == 0)
        search("memfd", mmap(NULL, length, PROT_READ, MAP_SHARED, memory, 0), length);
    int segment = shmget(IPC_PRIVATE, 1 << 20, IPC_CREAT | 0600);
    if (segment >= 0)
        search("segment", shmat(segment, NULL, SHM_RDONLY), 1 << 20);
    puts("went on");
}
