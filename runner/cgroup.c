#include "runner.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The sandbox's use of CPU, memory and processes, as its cgroup counts it: the kernel's figures for one process
 * (wait4(2)) leave out every descendant whose parent ignores SIGCHLD. A figure that cannot be read is unknown.
 */

static int version;
static int figure_fd[FIGURE_FILES];

/* Takes the files that the options name, or else searches the container's own. */
void cgroup_use(const struct options *options)
{
    memcpy(figure_fd, options->figure_fd, sizeof figure_fd);
    version = options->cgroup_version;
    if (version == 0)
        version = cgroup_search(figure_fd);
}

/*
 * Gives the sandbox the weight beside others that is the kernel's usual one (Documentation/scheduler/sched-design-CFS.rst and
 * admin-guide/cgroup-v2.rst), where it was named: what only makes ready for a program may have less.
 */
void cgroup_raise_weight(void)
{
    const char *usual = version == 2 ? "100\n" : "1024\n";
    size_t length = strlen(usual);
    if (figure_fd[CPU_WEIGHT] >= 0 && pwrite(figure_fd[CPU_WEIGHT], usual, length, 0) != (ssize_t)length)
        die_errno("raise the weight");
}

/* The number after `key` at the start of a line, or the first number of the text when `key` is empty. */
static struct figure find_figure(const char *text, const char *key)
{
    struct figure unknown = {false, 0};
    size_t key_length = strlen(key);
    for (const char *line = text; line != NULL && *line != '\0';) {
        const char *number = line + key_length;
        if (strncmp(line, key, key_length) == 0 && isdigit((unsigned char)*number)) {
            errno = 0;
            uint64_t value = strtoull(number, NULL, 10);
            return errno == 0 ? (struct figure){true, value} : unknown;
        }
        line = strchr(line, '\n');
        if (line != NULL)
            line += 1;
    }
    return unknown;
}

/* The text of a file, empty when there is none; good until the next call. */
static const char *read_figures(enum figure_file file)
{
    static char text[4096];
    ssize_t length = figure_fd[file] < 0 ? 0 : pread(figure_fd[file], text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

static struct figure read_figure(enum figure_file file, const char *key)
{
    return find_figure(read_figures(file), key);
}

/* The cgroup's use of CPU so far, in microseconds. cpuacct.usage counts nanoseconds. */
struct figure cgroup_cpu_us(void)
{
    struct figure used = read_figure(CPU_USAGE, version == 2 ? "usage_usec " : "");
    if (version != 2)
        used.value /= 1000;
    return used;
}

struct figure cgroup_memory_peak_bytes(void)
{
    return read_figure(MEMORY_PEAK, "");
}

/* Kills by the out-of-memory killer so far. */
struct figure cgroup_oom_kills(void)
{
    return read_figure(MEMORY_EVENTS, "oom_kill ");
}

/* Forks and clones refused for the limit of processes so far. */
struct figure cgroup_refused_forks(void)
{
    return read_figure(PIDS_EVENTS, "max ");
}

bool figure_moved(struct figure before, struct figure after)
{
    return before.known && after.known && after.value > before.value;
}

/* Makes the peak count from now; false where the kernel cannot (cgroup v2 before Linux 6.12, or a read-only file). */
bool cgroup_reset_memory_peak(void)
{
    return figure_fd[MEMORY_PEAK] >= 0 && pwrite(figure_fd[MEMORY_PEAK], "0\n", 2, 0) == 2;
}

/* Limits the cgroup's memory; false where the limit stays as it was. */
bool cgroup_limit_memory(uint64_t bytes)
{
    if (figure_fd[MEMORY_LIMIT] < 0)
        return false;
    char text[24];
    int length = snprintf(text, sizeof text, "%" PRIu64 "\n", bytes + MEMORY_HEADROOM_BYTES);
    return pwrite(figure_fd[MEMORY_LIMIT], text, (size_t)length, 0) == length;
}

/* What the kernel cannot take back from the program: memory of no file, and of files in folders that have no disk. */
struct figure cgroup_memory_used_bytes(void)
{
    const char *text = read_figures(MEMORY_STAT);
    struct figure used = find_figure(text, version == 2 ? "anon " : "total_rss ");
    struct figure shared = find_figure(text, version == 2 ? "shmem " : "total_shmem ");
    used.value += shared.value;
    used.known = used.known && shared.known;
    return used;
}

/* The processes and threads of the container that are there now, the runner among them. */
struct figure cgroup_processes(void)
{
    return read_figure(PIDS_CURRENT, "");
}
