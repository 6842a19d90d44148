#include "runner.h"

#include <errno.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * No execve(2) adds a capability any more, to the runner or to what it starts; those that the runner has stay. Comes first
 * of all. To empty the bounding set takes CAP_SETPCAP, which a container does not have (EPERM); NO_NEW_PRIVS does the same
 * work there. The kernel says EINVAL for the first capability that it does not know.
 */
void privileges_bound(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        die_errno("prctl PR_SET_NO_NEW_PRIVS");
    for (unsigned long capability = 0; prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0;)
        capability += 1;
    if (errno != EINVAL && errno != EPERM)
        die_errno("prctl PR_CAPBSET_DROP");
}

/*
 * Gives up every capability, for the runner and for all that it starts; a container has none to begin with. Ambient ones,
 * which gVisor does not know (EINVAL), end with the permitted ones (capabilities(7)). False with errno when that fails.
 */
bool privileges_drop(void)
{
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
        return false;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return syscall(SYS_capset, &header, none) == 0;
}
