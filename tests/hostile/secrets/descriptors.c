// tries: using a descriptor that was left open, as a way out of its root
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { wall_ms: 5000, open_files: 4096 }
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
    for (int fd = 3; fd < 65536; fd += 1)
        if (fcntl(fd, F_GETFD) != -1)
            printf("ESCAPED %d\n", fd);
    for (int fd = 0; fd < 3; fd += 1)
        if (openat(fd, "..", O_RDONLY) >= 0 || fchdir(fd) == 0)
            printf("ESCAPED %d\n", fd);
    puts("went on");
}
