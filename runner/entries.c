#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Folders that a program has made, read while nothing of it runs. No link is followed. */

/* struct linux_dirent64 of getdents64(2) without its name. */
struct entry {
    uint64_t inode;
    int64_t next;
    uint16_t length;
    uint8_t type;
    char name[];
};

/* Reads from the folder's beginning; the folder stays the caller's to close. */
void entries_begin(struct entries *entries, int folder)
{
    if (lseek(folder, 0, SEEK_SET) != 0)
        die_errno("rewind a folder");
    entries->folder = folder;
    entries->at = entries->length = 0;
}

/* The next name, good until the next call; NULL at the end. */
const char *entries_next(struct entries *entries)
{
    for (;;) {
        if (entries->at == entries->length) {
            long length = syscall(SYS_getdents64, entries->folder, entries->bytes, sizeof entries->bytes);
            if (length < 0)
                die_errno("read a folder");
            if (length == 0)
                return NULL;
            entries->length = (size_t)length;
            entries->at = 0;
        }
        const struct entry *entry = (const struct entry *)(const void *)(entries->bytes + entries->at);
        entries->at += entry->length;
        if (strcmp(entry->name, ".") != 0 && strcmp(entry->name, "..") != 0)
            return entry->name;
    }
}

/* Opens a folder in a folder, also one that its owner may not enter: the mode that it had is the caller's to know. */
int entries_enter(int folder, const char *name)
{
    if (fchmodat(folder, name, 0700, 0) != 0)
        die_errno("chmod a folder");
    int child = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (child < 0)
        die_errno("open a folder");
    return child;
}
