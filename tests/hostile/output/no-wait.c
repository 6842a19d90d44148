// tries: making the pipes of its output behave otherwise for who reads them
// outcomes: [output_limit]
// limit: output
// limits: { output_bytes: 100000, wall_ms: 5000 }
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

int main(void)
{
    static char piece[65536];
    int on = 1;
    for (int fd = 0; fd <= 2; fd += 1) {
        fcntl(fd, F_SETOWN, 1);
        fcntl(fd, F_SETSIG, SIGTERM);
        fcntl(fd, F_SETPIPE_SZ, 1 << 20);
        fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK | O_DIRECT);
        ioctl(fd, FIOASYNC, &on);
    }
    for (;;) {
        struct iovec whole = {piece, sizeof piece};
        vmsplice(1, &whole, 1, SPLICE_F_GIFT);
        write(2, piece, 512);
    }
}
