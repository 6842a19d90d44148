// tries: descriptors in flight over sockets that are in flight themselves, which only the kernel still knows
// outcomes: [succeeded, memory_limit]
// limits: { wall_ms: 6000, open_files: 256, memory_bytes: 67108864 }
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int hand_over(int socket, int descriptor)
{
    char byte = 0, control[CMSG_SPACE(sizeof descriptor)] = {0};
    struct iovec data = {&byte, 1};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof descriptor), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    return (int)sendmsg(socket, &message, MSG_DONTWAIT);
}

int main(void)
{
    for (int i = 0; i < 5000; i += 1) {
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
            break;
        hand_over(pair[0], pair[1]);
        hand_over(pair[1], pair[0]);
        close(pair[0]);
        close(pair[1]);
    }
    puts("went on");
}
