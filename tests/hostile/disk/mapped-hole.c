// tries: writing past the end of the disk through a mapping, where no call can fail
// outcomes: [signaled]
// signal: SIGBUS
// limits: { work_bytes: 1048576, wall_ms: 5000 }
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    size_t length = 8 << 20;
    int file = open("/tmp/hole", O_CREAT | O_RDWR, 0600);
    if (ftruncate(file, (off_t)length) != 0)
        return 5;
    char *memory = mmap(NULL, length, PROT_WRITE, MAP_SHARED, file, 0);
    memset(memory, 1, length);
}
