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

/* Makes one more; false with errno. */
bool cgroups_add(struct cgroups *cgroups, const char *folder)
{
    if (mkdir(folder, 0755) != 0)
        return false;
    cgroups->folders[cgroups->count++] = keep(folder);
    return true;
}

/* Where the kernel counts what it has killed in them; "-" for nowhere. */
void cgroups_count_kills_in(struct cgroups *cgroups, const char *path)
{
    cgroups->events = strcmp(path, "-") == 0 ? NULL : keep(path);
}

bool cgroups_write(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t written = write(fd, text, strlen(text));
    int reason = errno;
    close(fd);
    errno = reason;
    return written == (ssize_t)strlen(text);
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

static bool remove_one(const char *folder)
{
    for (int tries = 0; tries < REMOVE_TRIES; tries += 1) {
        if (rmdir(folder) == 0 || errno == ENOENT)
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
    *left = 0;
    for (size_t i = 0; i < cgroups->count; i += 1) {
        *left += remove_one(cgroups->folders[i]) ? 0 : 1;
        free(cgroups->folders[i]);
    }
    free(cgroups->events);
    *cgroups = (struct cgroups){0};
    return killed;
}
