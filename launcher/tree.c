#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The mount namespace that every sandbox is a copy of. It is made once and holds nothing but
 *
 *   /         an empty tmpfs, read-only
 *   /proc     the machine's, for one reason: the kernel mounts a new proc in a user namespace only where a whole one can
 *             be seen (mount_too_revealing in fs/namespace.c)
 *   /sandbox  the root of the sandboxes with all that is mounted there, read-only but for device files
 *
 * so that to make a sandbox's mounts is to copy these few, and a sandbox leaves them with one call (sandbox.c).
 */

enum { FOLDER = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };

static int machine = -1; /* the mount namespace in which the launcher was started */
static int tree = -1;

/* Not in every C library: mount(2) and its flags are in a header that excludes the one with the newer calls. */
static int mount_tmpfs(const char *target, const char *settings)
{
    enum { NO_SETUID = 2, NO_DEVICES = 4 };
    return (int)syscall(SYS_mount, "tmpfs", target, "tmpfs", NO_SETUID | NO_DEVICES, settings);
}

static int make_private(void)
{
    struct mount_attr attributes = {.propagation = 1 << 18 /* MS_PRIVATE of mount(2) */};
    return (int)syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof attributes);
}

/* What lies at `source`, with all that is mounted below it, as mounts that are nowhere yet. Flags that they have stay. */
static int copy_mounts(const char *source, uint64_t flags)
{
    struct mount_attr attributes = {.attr_set = flags};
    int copy = (int)syscall(SYS_open_tree, AT_FDCWD, source, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (copy < 0 ||
        syscall(SYS_mount_setattr, copy, "", AT_EMPTY_PATH | AT_RECURSIVE, &attributes, sizeof attributes) != 0)
        die("launcher: mount %s: %s\n", source, strerror(errno));
    return copy;
}

static void attach(int copy, const char *target)
{
    if (syscall(SYS_move_mount, copy, "", AT_FDCWD, target, MOVE_MOUNT_F_EMPTY_PATH) != 0)
        die("launcher: mount %s: %s\n", target, strerror(errno));
    close(copy);
}

static void attach_in_sandbox(const char *kind, const char *source, const char *target)
{
    enum { DEVICE = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC };
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "sandbox%s", target);
    if (length < 0 || (size_t)length >= sizeof path)
        die("launcher: mount %s: %s\n", target, strerror(ENAMETOOLONG));
    attach(copy_mounts(source, strcmp(kind, "device") == 0 ? DEVICE : FOLDER), path);
}

/* The one that the launcher is in, by its file in /proc/self/ns. */
int this_namespace(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die("launcher: open %s: %s\n", path, strerror(errno));
    return fd;
}

/*
 * Makes the tree from `folder` as the sandboxes' root and from `count` mounts, each three words: "folder" or "device", what
 * is mounted, and where in the sandbox. Needs CAP_SYS_ADMIN. The calls are of Linux 5.12.
 */
void tree_make(const char *folder, char **mounts, size_t count)
{
    machine = this_namespace("/proc/self/ns/mnt");
    if (unshare(CLONE_NEWNS) != 0 || make_private() != 0)
        die("launcher: begin a mount namespace: %s\n", strerror(errno));
    int root = copy_mounts(folder, FOLDER); /* before the tree covers it */
    if (mount_tmpfs(folder, "size=64k,nr_inodes=16,mode=755") != 0 || chdir(folder) != 0 ||
        mkdir("sandbox", 0755) != 0 || mkdir("proc", 0755) != 0)
        die("launcher: mount %s: %s\n", folder, strerror(errno));
    attach(root, "sandbox");
    for (size_t i = 0; i < count; i += 1)
        attach_in_sandbox(mounts[3 * i], mounts[3 * i + 1], mounts[3 * i + 2]);
    attach(copy_mounts("/proc", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC), "proc");
    struct mount_attr attributes = {.attr_set = FOLDER};
    if (syscall(SYS_mount_setattr, AT_FDCWD, ".", 0, &attributes, sizeof attributes) != 0 ||
        syscall(SYS_pivot_root, ".", ".") != 0 || syscall(SYS_umount2, ".", 2 /* MNT_DETACH */) != 0)
        die("launcher: leave the machine's mounts: %s\n", strerror(errno));
    tree = this_namespace("/proc/self/ns/mnt");
    if (tree_leave() != 0)
        die("launcher: return to the machine's mounts: %s\n", strerror(errno));
}

/* To be in the tree while a sandbox is forked, and out again: 0, or -1 with errno. The working folder is then "/". */
int tree_enter(void)
{
    return setns(tree, CLONE_NEWNS);
}

int tree_leave(void)
{
    return setns(machine, CLONE_NEWNS);
}
