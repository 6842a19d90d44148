// tries: using a descriptor that was left open, as a way out of its root
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { open_files: 4096 }
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void list(void)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    while (folder != NULL && (entry = readdir(folder)) != NULL)
        if (atoi(entry->d_name) > 2 && atoi(entry->d_name) != dirfd(folder))
            printf("ESCAPED %s\n", entry->d_name);
    closedir(folder);
}

int main(void)
{
    for (int fd = 3; fd < 8192; fd += 1) /* twice the limit, for one may be older than that */
        if (fcntl(fd, F_GETFD) != -1)
            printf("ESCAPED %d\n", fd);
    list();
    for (int fd = 0; fd < 3; fd += 1)
        if (openat(fd, "..", O_RDONLY) >= 0 || fchdir(fd) == 0)
            printf("ESCAPED %d\n", fd);
    puts("went on");
}
