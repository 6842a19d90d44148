#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What a stage's child tells the runner before it is the program: a step that failed, or the listener of its filter. */

union control {
    struct cmsghdr header;
    char space[CMSG_SPACE(sizeof(int))];
};

void report_open(int *ours, int *child)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        die_errno("socketpair");
    *ours = ends[0];
    *child = ends[1];
    set_nonblocking(*ours);
}

/* Sends a report, with a copy of `descriptor` unless that is -1; false, and errno, when it fails. */
bool report_send(int child, const struct report *report, int descriptor)
{
    union control control = {.space = {0}};
    struct iovec part = {.iov_base = (void *)(uintptr_t)report, .iov_len = sizeof *report};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    if (descriptor >= 0) {
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
    }
    ssize_t sent;
    do
        sent = sendmsg(child, &message, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)sizeof *report;
}

/* Takes the next report, and with it a descriptor or -1. As read(2): 0 at the end, -1 when there is none now. */
ssize_t report_receive(int ours, struct report *report, int *descriptor)
{
    union control control = {.space = {0}};
    struct iovec part = {.iov_base = report, .iov_len = sizeof *report};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t received;
    do
        received = recvmsg(ours, &message, MSG_CMSG_CLOEXEC);
    while (received < 0 && errno == EINTR);
    if (received < 0 && errno != EAGAIN)
        die_errno("recvmsg");
    *descriptor = -1;
    const struct cmsghdr *header = received > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (header != NULL && header->cmsg_type == SCM_RIGHTS && header->cmsg_len == CMSG_LEN(sizeof *descriptor))
        memcpy(descriptor, CMSG_DATA(header), sizeof *descriptor);
    return received;
}
