#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

/*
 * Network namespaces of sandboxes without a network. To make one and to take it apart costs the kernel more processor time
 * than all else that a sandbox is made of, so one in which its sandbox has left nothing serves another sandbox afterwards;
 * never two at a time.
 *
 * What can be left? There are no interfaces but a loopback that is down, and the sandbox's user has no capability for the
 * namespace, which belongs to the launcher's user namespace. The runner's filter (runner/seccomp.c) allows sockets of
 * AF_UNIX and no others, of which the kernel counts nothing but how many there are. When all processes are gone such a
 * socket can be there yet, where it is known only from a message in flight to itself, with its name and until the kernel
 * collects it (unix_gc in net/unix/garbage.c). Since sockets of all kinds are counted (sock_inuse in net/core/sock.c), a namespace
 * in which there is one is not used again.
 *
 * To come back from one takes CAP_SYS_ADMIN over the machine's own, which a launcher in a user namespace does not have.
 * There each sandbox begins a namespace of its own.
 */

/* Each takes some 100 kB of the kernel's memory and two of the launcher's descriptors. Other sandboxes begin their own. */
enum { MAX_NAMESPACES = 128 };

static const char NO_SOCKETS[] = "sockets: used 0\n";

static int machine = -1;
static struct netns waiting[MAX_NAMESPACES];
static size_t waiting_count;
static size_t count;

void netns_allow_reuse(void)
{
    machine = this_namespace("/proc/self/ns/net");
}

/* Whether a sandbox may have one; otherwise it begins its own. */
bool netns_are_left(void)
{
    return machine >= 0 && (waiting_count > 0 || count < MAX_NAMESPACES);
}

static void forget(const struct netns *netns)
{
    count -= 1;
    close(netns->sockets);
    close(netns->self);
}

static bool is_empty(const struct netns *netns)
{
    char text[sizeof NO_SOCKETS - 1];
    return pread(netns->sockets, text, sizeof text, 0) == (ssize_t)sizeof text &&
           memcmp(text, NO_SOCKETS, sizeof text) == 0;
}

/* Is then in a namespace that nobody else is in, which is new unless one waits; false with errno, and as it was before. */
bool netns_enter(struct netns *netns)
{
    if (waiting_count > 0) {
        *netns = waiting[--waiting_count];
        if (setns(netns->self, CLONE_NEWNET) == 0)
            return true;
    } else {
        if (unshare(CLONE_NEWNET) != 0)
            return false;
        count += 1;
        netns->self = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
        netns->sockets = open("/proc/self/net/sockstat", O_RDONLY | O_CLOEXEC);
        if (netns->self >= 0 && netns->sockets >= 0)
            return true;
    }
    int reason = errno;
    netns_leave();
    forget(netns);
    errno = reason;
    return false;
}

/* Back to the machine's. */
void netns_leave(void)
{
    if (setns(machine, CLONE_NEWNET) != 0)
        die("launcher: return to the machine's network: %s\n", strerror(errno));
}

/* When the sandbox's last process was reaped. */
void netns_give_back(const struct netns *netns)
{
    if (is_empty(netns))
        waiting[waiting_count++] = *netns;
    else
        forget(netns);
}
