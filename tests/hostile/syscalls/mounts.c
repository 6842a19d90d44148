// tries: another root, by the old calls for mounts and by the new ones
// outcomes: [succeeded]
// stdout: ".*went on\n"
// limits: { wall_ms: 5000 }
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DENIED(call) printf("%s: %s\n", #call, (long)(call) == -1 ? strerrorname_np(errno) : "ESCAPED")

int main(void)
{
    char attributes[32] = {0};
    mkdir("/tmp/root", 0777);
    DENIED(mount("none", "/tmp/root", "tmpfs", 0, NULL));
    DENIED(mount("none", "/tmp/root", "proc", 0, NULL));
    DENIED(mount("none", "/tmp/root", "overlay", 0, "lowerdir=/,upperdir=/tmp,workdir=/work"));
    DENIED(mount("/", "/tmp/root", NULL, MS_BIND | MS_REC, NULL));
    DENIED(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL));
    DENIED(mount(NULL, "/usr", NULL, MS_REMOUNT, NULL));
    DENIED(umount2("/usr", MNT_DETACH));
    DENIED(umount2("/proc", MNT_DETACH));
    DENIED(umount2("/work", MNT_FORCE));
    DENIED(chroot("/tmp/root"));
    DENIED(syscall(SYS_pivot_root, "/tmp/root", "/tmp/root"));
    DENIED(syscall(428, AT_FDCWD, "/", 1));
    DENIED(syscall(429, 0, "", AT_FDCWD, "/tmp/root", 4));
    DENIED(syscall(430, "tmpfs", 0));
    DENIED(syscall(431, 0, 6, NULL, NULL, 0));
    DENIED(syscall(432, 0, 0, 0));
    DENIED(syscall(433, AT_FDCWD, "/", 0));
    DENIED(syscall(442, AT_FDCWD, "/", 0x8000, attributes, sizeof attributes));
    DENIED(syscall(467, AT_FDCWD, "/", 1, attributes, sizeof attributes));
    puts("went on");
}
