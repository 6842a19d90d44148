// tries: names without end for one file, folders in folders, links to links
// outcomes: [succeeded, signaled]
// limits: { work_inodes: 1000, wall_ms: 6000 }
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int main(void)
{
    char name[64];
    close(open("/tmp/file", O_CREAT | O_WRONLY, 0600));
    for (int i = 0; i < 5000; i += 1) {
        snprintf(name, sizeof name, "/tmp/link-%d", i);
        if (link("/tmp/file", name) != 0)
            break;
    }
    for (int i = 0; i < 5000; i += 1) {
        snprintf(name, sizeof name, "/dev/shm/link-%d", i);
        if (symlink(i % 2 ? "/" : "/dev/shm", name) != 0)
            break;
    }
    for (int i = 0; i < 5000; i += 1)
        if (mkdir("deeper", 0) != 0 || chmod("deeper", 0700) != 0 || chdir("deeper") != 0)
            break;
    puts("went on");
}
