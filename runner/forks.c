#include "runner.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Answers whether the program may start one more process or thread, where the limit on them is RLIMIT_NPROC: the kernel
 * tells nobody that it refused one. The answer changes nothing in what the kernel allows (seccomp_unotify(2) on
 * SECCOMP_USER_NOTIF_FLAG_CONTINUE); two that ask at a time may both be told to go on, and one is then refused there.
 */

/* What the kernel may make of its two structures, which can grow. */
enum { STRUCTURE_BYTES = 512 };

/* How many are answered between two looks at everything else. */
enum { ANSWER_BATCH = 64 };

/*
 * Whether the kernel can be told to go on (Linux 5.5). No call tells that, but a flag that came in 5.7: with it and
 * without a filter, newer kernels fail on the filter's address and older ones on the flag.
 */
static bool kernel_can_go_on(void)
{
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC_ESRCH, NULL) < 0 && errno == EFAULT;
}

bool forks_can_be_asked_for(const struct stage *stage)
{
    struct seccomp_notif_sizes sizes;
    return stage->has_limit[LIMIT_PROCESSES] && cgroup_processes().known && kernel_can_go_on() &&
           syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) == 0 &&
           sizes.seccomp_notif <= STRUCTURE_BYTES && sizes.seccomp_notif_resp <= STRUCTURE_BYTES;
}

/* False when who asked is gone, killed while it waited, or the call was interrupted. */
static bool call(const struct forks *forks, unsigned long request, void *structure)
{
    if (syscall(SYS_ioctl, forks->listener, request, structure) == 0)
        return true;
    if (errno != ENOENT && errno != EINTR)
        die_errno("ioctl seccomp");
    return false;
}

static void answer(struct forks *forks)
{
    static union {
        struct seccomp_notif notification;
        uint8_t bytes[STRUCTURE_BYTES];
    } asked;
    static union {
        struct seccomp_notif_resp response;
        uint8_t bytes[STRUCTURE_BYTES];
    } answered;

    memset(&asked, 0, sizeof asked);
    if (!call(forks, SECCOMP_IOCTL_NOTIF_RECV, &asked))
        return;
    struct figure processes = cgroup_processes();
    /* The runner is counted too. */
    bool refused = processes.known && processes.value > forks->most;
    memset(&answered, 0, sizeof answered);
    answered.response.id = asked.notification.id;
    answered.response.error = refused ? -EAGAIN : 0;
    answered.response.flags = refused ? 0 : (uint32_t)SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    while (!call(forks, SECCOMP_IOCTL_NOTIF_SEND, &answered))
        if (errno == ENOENT)
            return;
    forks->refused |= refused;
}

/* Takes what poll(2) told of the listener. */
void forks_handle(struct forks *forks, short happened)
{
    struct pollfd waiting = {.fd = forks->listener, .events = POLLIN, .revents = happened};
    for (int i = 0; i < ANSWER_BATCH && (waiting.revents & POLLIN) != 0; i += 1) {
        answer(forks);
        if (poll(&waiting, 1, 0) < 0)
            return;
    }
    /* Nobody is left who could ask. */
    if ((waiting.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0) {
        close(forks->listener);
        forks->listener = -1;
    }
}
