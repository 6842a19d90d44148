#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

/*
 * Every place that a program may write to, opened before any program has run, so that what it does to their modes
 * changes nothing. Between two tests all are made as empty as they were.
 */

static const char *const folders[] = {"/work", "/tmp", "/dev/shm", "/dev/mqueue"};

/* Kubernetes puts into every container a file that everyone may write to. */
static const char *const files[] = {"/dev/termination-log"};

enum { WORK, FOLDERS = sizeof folders / sizeof folders[0], FILES = sizeof files / sizeof files[0] };

static int folder_fd[FOLDERS];
static mode_t folder_mode[FOLDERS];
static int file_fd[FILES];
static bool opened;

void places_open(void)
{
    if (opened)
        return;
    opened = true;
    for (int i = 0; i < FOLDERS; i += 1) {
        folder_fd[i] = open(folders[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        struct stat status = {0};
        if (folder_fd[i] >= 0 ? fstat(folder_fd[i], &status) != 0 : i == WORK)
            die_errno(folders[i]);
        folder_mode[i] = status.st_mode & 07777;
    }
    for (int i = 0; i < FILES; i += 1)
        file_fd[i] = open(files[i], O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
}

/* The work folder, which stays open. */
int places_work(void)
{
    return folder_fd[WORK];
}

/* Removes what user and owner may attach to a file besides its content (xattr(7)): also a folder's access control list. */
static void remove_attributes(int fd)
{
    static char names[64 << 10]; /* XATTR_LIST_MAX */
    ssize_t length = flistxattr(fd, names, sizeof names);
    for (const char *name = names; length > 0 && name < names + length; name += strlen(name) + 1)
        if (fremovexattr(fd, name) != 0 && strncmp(name, "user.", 5) == 0)
            die_errno("remove an extended attribute");
}

/* Removes what it can of a folder's entries; returns one that is a folder with something in it, or -1 when all is gone. */
static int remove_entries(int folder)
{
    static struct entries entries;
    bool removed = true;
    while (removed) {
        removed = false;
        entries_begin(&entries, folder);
        for (const char *name; (name = entries_next(&entries)) != NULL; removed = true) {
            if (unlinkat(folder, name, 0) == 0)
                continue;
            /* Linux says EISDIR of a folder, POSIX EPERM (unlink(2)). */
            if (errno != EISDIR && errno != EPERM)
                die_errno("remove a file");
            if (unlinkat(folder, name, AT_REMOVEDIR) == 0)
                continue;
            if (errno != ENOTEMPTY && errno != EEXIST)
                die_errno("remove a folder");
            return entries_enter(folder, name);
        }
    }
    return -1;
}

/* Goes up by "..", since folders may lie in each other as deep as there may be inodes. */
static void empty(int root)
{
    int folder = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    size_t depth = 0;
    for (;;) {
        if (folder < 0)
            die_errno("open a folder");
        int next = remove_entries(folder);
        if (next < 0 && depth == 0)
            break;
        depth = next < 0 ? depth - 1 : depth + 1;
        if (next < 0)
            next = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(folder);
        folder = next;
    }
    close(folder);
}

static void clean_folder(int i)
{
    struct stat status;
    if (fstat(folder_fd[i], &status) != 0)
        die_errno("fstat");
    /* Only the owner can have changed it. */
    if ((status.st_mode & 07777) != folder_mode[i] && fchmod(folder_fd[i], folder_mode[i]) != 0)
        die_errno("fchmod");
    remove_attributes(folder_fd[i]);
    empty(folder_fd[i]);
    futimens(folder_fd[i], NULL);
}

/* Removes all that was written anywhere, while no process of the program is left. */
void places_clean(void)
{
    for (int i = 0; i < FOLDERS; i += 1)
        if (folder_fd[i] >= 0)
            clean_folder(i);
    for (int i = 0; i < FILES; i += 1) {
        if (file_fd[i] < 0)
            continue;
        if (ftruncate(file_fd[i], 0) != 0)
            die_errno("ftruncate");
        remove_attributes(file_fd[i]);
    }
    ipc_remove_all();
}
