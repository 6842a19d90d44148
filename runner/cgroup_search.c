#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Finds the files of the container's own cgroup (cgroups(7)). /proc/self/cgroup tells the path within each hierarchy,
 * but a container often sees its own folder mounted at the hierarchy's place: both are tried. A folder counts only when
 * it lists the runner among its processes and is not the root of a hierarchy, whose figures are the whole machine's.
 */

struct figure_place {
    const char *controller;
    const char *name;
};

static const struct figure_place places[2][FIGURE_FILES] = {
    {
        [CPU_USAGE] = {"cpuacct", "cpuacct.usage"},
        [MEMORY_PEAK] = {"memory", "memory.max_usage_in_bytes"},
        [MEMORY_LIMIT] = {"memory", "memory.limit_in_bytes"},
        [MEMORY_EVENTS] = {"memory", "memory.oom_control"},
        [PIDS_EVENTS] = {"pids", "pids.events"},
        [MEMORY_STAT] = {"memory", "memory.stat"},
        [PIDS_CURRENT] = {"pids", "pids.current"},
    },
    {
        [CPU_USAGE] = {"", "cpu.stat"},
        [MEMORY_PEAK] = {"", "memory.peak"},
        [MEMORY_LIMIT] = {"", "memory.max"},
        [MEMORY_EVENTS] = {"", "memory.events"},
        [PIDS_EVENTS] = {"", "pids.events"},
        [MEMORY_STAT] = {"", "memory.stat"},
        [PIDS_CURRENT] = {"", "pids.current"},
    },
};

static bool is_own(int folder, int version)
{
    char processes[256];
    /* Found only in the root of a v1 hierarchy, and everywhere but in the root of a v2 hierarchy. */
    bool is_root = version == 1 ? faccessat(folder, "release_agent", F_OK, 0) == 0
                                : faccessat(folder, "cgroup.events", F_OK, 0) != 0;
    if (is_root || !read_text(folder, "cgroup.procs", processes, sizeof processes))
        return false;
    return strncmp(processes, "1\n", 2) == 0 || strstr(processes, "\n1\n") != NULL;
}

/* True when `controllers`, as in "cpu,cpuacct", has `controller`. */
static bool lists(const char *controllers, size_t length, const char *controller)
{
    size_t wanted = strlen(controller);
    for (const char *at = controllers; at <= controllers + length;) {
        const char *end = memchr(at, ',', (size_t)(controllers + length - at));
        if (end == NULL)
            end = controllers + length;
        if ((size_t)(end - at) == wanted && memcmp(at, controller, wanted) == 0)
            return true;
        at = end + 1;
    }
    return false;
}

/* The path that /proc/self/cgroup gives for a controller, "" being the unified hierarchy. */
static bool find_path(char *memberships, const char *controller, char *path, size_t size)
{
    for (char *line = memberships; *line != '\0';) {
        size_t line_length = strcspn(line, "\n");
        char *controllers = memchr(line, ':', line_length);
        char *value = controllers == NULL
                          ? NULL
                          : memchr(controllers + 1, ':', line_length - (size_t)(controllers + 1 - line));
        if (value != NULL && lists(controllers + 1, (size_t)(value - controllers - 1), controller)) {
            int length = snprintf(path, size, "%.*s", (int)(line + line_length - value - 1), value + 1);
            return length > 0 && (size_t)length < size;
        }
        line += line_length;
        line += *line == '\n';
    }
    return false;
}

static int open_own_folder(const char *root, const char *path, int version)
{
    char name[8192];
    const char *const within[] = {path, ""};
    for (int i = 0; i < 2; i += 1) {
        snprintf(name, sizeof name, "%s%s", root, within[i]);
        int folder = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (folder >= 0 && is_own(folder, version))
            return folder;
        if (folder >= 0)
            close(folder);
    }
    return -1;
}

/* Opens what there is, for writing where that is allowed; the rest stays -1. Returns the version found, or 0. */
int cgroup_search(int figure_fd[FIGURE_FILES])
{
    char memberships[4096];
    if (!read_text(AT_FDCWD, "/proc/self/cgroup", memberships, sizeof memberships))
        return 0;
    int version = access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0 ? 2 : 1;
    for (int file = 0; file < FIGURE_FILES; file += 1) {
        const struct figure_place *place = &places[version - 1][file];
        char path[4096];
        char root[64];
        if (place->name == NULL)
            continue;
        if (!find_path(memberships, place->controller, path, sizeof path))
            continue;
        snprintf(root, sizeof root, "/sys/fs/cgroup/%s", place->controller);
        int folder = open_own_folder(root, path, version);
        if (folder < 0)
            continue;
        figure_fd[file] = openat(folder, place->name, O_RDWR | O_CLOEXEC);
        if (figure_fd[file] < 0)
            figure_fd[file] = openat(folder, place->name, O_RDONLY | O_CLOEXEC);
        close(folder);
    }
    return version;
}
