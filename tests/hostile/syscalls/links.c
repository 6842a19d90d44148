// tries: every way past its root by links, descriptors of folders and races between them
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { wall_ms: 5000 }
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    int root = open("/", O_PATH | O_DIRECTORY);
    char path[4000] = "";
    for (int i = 0; i < 600; i += 1)
        strcat(path, "../");
    struct stat here, there;
    fstat(root, &here);
    if (fstatat(root, path, &there, 0) == 0 && (here.st_ino != there.st_ino || here.st_dev != there.st_dev))
        puts("ESCAPED");
    symlink("/proc/self/root/..", "up");
    if (stat("up", &there) == 0 && (here.st_ino != there.st_ino || here.st_dev != there.st_dev))
        puts("ESCAPED");
    if (linkat(AT_FDCWD, "/etc/passwd", AT_FDCWD, "/tmp/passwd", 0) == 0 ||
        renameat2(AT_FDCWD, "/usr", AT_FDCWD, "/work", RENAME_EXCHANGE) == 0)
        puts("ESCAPED");
    puts("went on");
}
