// tries: typing into a terminal of the machine, and taking one
// outcomes: [succeeded]
// stdout: ".*went on\n"
// limits: { wall_ms: 5000 }
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DENIED(call) printf("%s: %s\n", #call, (long)(call) == -1 ? strerrorname_np(errno) : "ESCAPED")

int main(void)
{
    char byte = 'x';
    for (int fd = 0; fd <= 2; fd += 1) {
        DENIED(ioctl(fd, TIOCSTI, &byte));
        DENIED(ioctl(fd, TIOCSCTTY, 1));
        DENIED(ioctl(fd, 0x541C /* TIOCLINUX */, &byte));
    }
    DENIED(open("/dev/tty", O_RDWR));
    DENIED(open("/dev/console", O_RDWR));
    DENIED(open("/dev/tty0", O_RDWR));
    DENIED(open("/dev/pts/0", O_RDWR));
    puts("went on");
}
