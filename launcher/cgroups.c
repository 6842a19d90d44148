#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * A sandbox's cgroups: one folder in each hierarchy, made before its first process and removed after its last. What the
 * server's only thread would wait for, milliseconds where many are made at a time, is done here.
 */

/* The kernel says EBUSY for a moment after the last process was reaped. */
enum { REMOVE_TRIES = 20, REMOVE_PAUSE_NS = 500 * 1000 };

/* Keeps the path; the caller's has ended when the sandbox has. */
static char *keep(const char *path)
{
    char *kept = strdup(path);
    if (kept == NULL)
        die("launcher: no memory\n");
    return kept;
}

/*
 * The folders that cgroups are made in, few and always the same, stay open. The kernel looks up each part of a path here by
 * itself and under a lock (kernfs_dop_revalidate in fs/kernfs/dir.c), and there are dozens of files to a sandbox.
 */
static struct {
    char *path;
    int folder;
} parents[MAX_CGROUPS];

/* The folder that `path` is in, and in `name` the rest of it; AT_FDCWD and all of it where that folder can't be kept. */
static int open_parent(const char *path, const char **name)
{
    const char *slash = strrchr(path, '/');
    *name = path;
    if (slash == NULL)
        return AT_FDCWD;
    size_t length = (size_t)(slash - path);
    size_t i = 0;
    while (i < MAX_CGROUPS && parents[i].path != NULL &&
           (strncmp(parents[i].path, path, length) != 0 || parents[i].path[length] != '\0'))
        i += 1;
    if (i == MAX_CGROUPS)
        return AT_FDCWD;
    if (parents[i].path == NULL) {
        char *parent = keep(path);
        parent[length] = '\0';
        parents[i].folder = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (parents[i].folder < 0) {
            free(parent);
            return AT_FDCWD;
        }
        parents[i].path = parent;
    }
    *name = slash + 1;
    return parents[i].folder;
}

/* Makes one more and opens it; false with errno. */
bool cgroups_add(struct cgroups *cgroups, const char *path)
{
    struct cgroup *cgroup = &cgroups->all[cgroups->count];
    const char *name;
    cgroup->parent = open_parent(path, &name);
    if (mkdirat(cgroup->parent, name, 0755) != 0)
        return false;
    cgroup->path = keep(path);
    cgroup->name = cgroup->path + (name - path);
    cgroups->count += 1;
    cgroup->folder = openat(cgroup->parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return cgroup->folder >= 0;
}

/*
 * The file of the last one that a process writes "0" to so as to join it. A thread that joins by itself is not held up in
 * version 1, where a whole process waits for all processors at first, 10 to 19 ms after some idleness, and whoever makes or
 * removes a cgroup waits with it (cgroup_procs_write_start in kernel/cgroup/cgroup.c, of Linux 5.5). For a process
 * of one thread it is the same.
 */
int cgroups_open_joining(const struct cgroups *cgroups)
{
    int folder = cgroups->all[cgroups->count - 1].folder;
    int fd = openat(folder, "tasks", O_WRONLY | O_CLOEXEC);
    return fd >= 0 || errno != ENOENT ? fd : openat(folder, "cgroup.procs", O_WRONLY | O_CLOEXEC);
}

/* Any file of the machine, wherever it is. */
int cgroups_open(const struct cgroups *cgroups, const char *path, int flags)
{
    for (const struct cgroup *cgroup = cgroups->all; cgroup < cgroups->all + cgroups->count; cgroup += 1) {
        size_t length = strlen(cgroup->path);
        if (strncmp(path, cgroup->path, length) == 0 && path[length] == '/')
            return openat(cgroup->folder, path + length + 1, flags | O_CLOEXEC);
    }
    return open(path, flags | O_CLOEXEC);
}

bool cgroups_write(const struct cgroups *cgroups, const char *path, const char *text)
{
    int fd = cgroups_open(cgroups, path, O_WRONLY);
    if (fd < 0)
        return false;
    ssize_t written = write(fd, text, strlen(text));
    int reason = errno;
    close(fd);
    errno = reason;
    return written == (ssize_t)strlen(text);
}

/* Where the kernel counts what it has killed in them; "-" for nowhere. */
void cgroups_count_kills_in(struct cgroups *cgroups, const char *path)
{
    cgroups->events = strcmp(path, "-") == 0 ? NULL : keep(path);
}

/* When the sandbox has begun: no descriptor is held for as long as it lasts. */
void cgroups_close(struct cgroups *cgroups)
{
    for (struct cgroup *cgroup = cgroups->all; cgroup < cgroups->all + cgroups->count; cgroup += 1)
        if (cgroup->folder >= 0) {
            close(cgroup->folder);
            cgroup->folder = -1;
        }
}

/* How many processes were killed for want of memory: "oom_kill" in memory.events or memory.oom_control. */
static unsigned long kills(const struct cgroups *cgroups)
{
    char text[512];
    int fd = cgroups->events == NULL ? -1 : open(cgroups->events, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[length > 0 ? length : 0] = '\0';
    const char *found = strstr(text, "oom_kill ");
    return found == NULL ? 0 : strtoul(found + strlen("oom_kill "), NULL, 10);
}

static bool remove_one(const struct cgroup *cgroup)
{
    for (int tries = 0; tries < REMOVE_TRIES; tries += 1) {
        if (unlinkat(cgroup->parent, cgroup->name, AT_REMOVEDIR) == 0 || errno == ENOENT)
            return true;
        if (errno != EBUSY)
            return false;
        nanosleep(&(struct timespec){.tv_nsec = REMOVE_PAUSE_NS}, NULL);
    }
    return false;
}

/* Removes them once no process is left; returns the kernel's kills, and in `left` how many would not go. */
unsigned long cgroups_remove(struct cgroups *cgroups, size_t *left)
{
    unsigned long killed = kills(cgroups);
    cgroups_close(cgroups);
    *left = 0;
    for (size_t i = 0; i < cgroups->count; i += 1) {
        *left += remove_one(&cgroups->all[i]) ? 0 : 1;
        free(cgroups->all[i].path);
    }
    free(cgroups->events);
    *cgroups = (struct cgroups){0};
    return killed;
}
