#include "runner.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static uint64_t bounding_set;
static bool has_looked;

/* Reads the bounding set, which can only become smaller; for whoever drops it later and is to be quick then. */
void privileges_look(void)
{
    /* The kernel says EINVAL for the first capability that it does not know, and 0 for one that is not in the set. */
    int is_in_set;
    for (int capability = 0; (is_in_set = prctl(PR_CAPBSET_READ, capability, 0, 0, 0)) >= 0; capability += 1)
        bounding_set |= (uint64_t)is_in_set << capability;
    has_looked = true;
}

/*
 * Gives up every capability, for the runner and for all that it starts; a container has none to begin with. The bounding
 * set can only be emptied with CAP_SETPCAP; without it NO_NEW_PRIVS does the same work, since then no execve(2) adds a
 * capability. Ambient ones, which gVisor does not know (EINVAL), end with the permitted ones (capabilities(7)). False with errno when that fails.
 */
bool privileges_drop(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return false;
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
        return false;
    if (!has_looked)
        privileges_look();
    for (int capability = 0; capability < 64; capability += 1)
        if ((bounding_set >> capability & 1) != 0 && prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno != EPERM)
            return false;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return syscall(SYS_capset, &header, none) == 0;
}
