// tries: System V shared memory that outlives its processes
// outcomes: [memory_limit]
// limit: memory
// limits: { memory_bytes: 33554432, wall_ms: 8000 }
#include <string.h>
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

int main(void)
{
    for (int i = 0; i < 400; i += 1) {
        int segment = shmget(IPC_PRIVATE, 4 << 20, IPC_CREAT | 0666);
        char *memory = shmat(segment, NULL, 0);
        if (memory == (void *)-1)
            return 5;
        memset(memory, 1, 4 << 20);
        shmdt(memory);
    }
    pause();
}
