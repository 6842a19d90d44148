// tries: memory of the kernel, in pipes and sockets that nobody reads
// outcomes: [succeeded, memory_limit]
// limits: { memory_bytes: 50331648, open_files: 1000, wall_ms: 8000 }
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static char piece[1 << 16];

static void fill(int fd)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
    while (write(fd, piece, sizeof piece) > 0) {
    }
}

int main(void)
{
    int ends[2];
    for (int i = 0; i < 200 && pipe(ends) == 0; i += 1) {
        fcntl(ends[1], F_SETPIPE_SZ, 1 << 20);
        fill(ends[1]);
    }
    while (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0) {
        int large = 64 << 20;
        setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
        fill(ends[0]);
    }
    puts("went on");
}
