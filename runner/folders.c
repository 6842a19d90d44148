#include "runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/ipc.h>
#include <sys/mount.h>
#include <sys/shm.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

/*
 * The folders that a program may write to, each a tmpfs of its own with a size and a number of inodes. A container's
 * are mounted by who made it, and have a size but no such number: there the inodes are counted.
 */

struct folder {
    const char *path;
    const char *mode;
};

static const struct folder folders[] = {{"/work", "0755"}, {"/tmp", "1777"}, {"/dev/shm", "1777"}};

enum { FOLDERS = sizeof folders / sizeof folders[0] };

static bool mounted;
static uint64_t mounted_bytes;
static uint64_t mounted_inodes;
static uint64_t most_inodes;
static uint64_t inodes_before[FOLDERS];

static void mount_all(uint64_t bytes, uint64_t inodes, unsigned long flags)
{
    for (int i = 0; i < FOLDERS; i += 1) {
        char settings[96];
        snprintf(settings, sizeof settings, "size=%" PRIu64 ",nr_inodes=%" PRIu64 ",mode=%s", bytes, inodes,
                 folders[i].mode);
        if (mount("tmpfs", folders[i].path, "tmpfs", MS_NOSUID | MS_NODEV | flags, settings) != 0)
            die_errno("mount");
    }
    mounted = true;
    mounted_bytes = bytes;
    mounted_inodes = inodes;
}

void folders_mount(uint64_t bytes, uint64_t inodes)
{
    mount_all(bytes, inodes, 0);
}

/* Gives the folders another size; what is there stays, and must fit. */
void folders_resize(uint64_t bytes, uint64_t inodes)
{
    if (bytes != mounted_bytes || inodes != mounted_inodes)
        mount_all(bytes, inodes, MS_REMOUNT);
}

/*
 * What a stage that has ended still holds of the sandbox's memory, and what no process's end gives back: files in the
 * folders mounted here, and System V shared memory. 0 where the folders are someone else's.
 */
uint64_t folders_used_bytes(void)
{
    uint64_t used = 0;
    if (!mounted)
        return used;
    for (int i = 0; i < FOLDERS; i += 1) {
        struct statfs figures;
        if (statfs(folders[i].path, &figures) == 0)
            used += (uint64_t)(figures.f_blocks - figures.f_bfree) * (uint64_t)figures.f_frsize;
    }
    struct shm_info segments;
    if (shmctl(0, SHM_INFO, (struct shmid_ds *)&segments) >= 0)
        used += (uint64_t)segments.shm_tot * (uint64_t)sysconf(_SC_PAGESIZE);
    return used;
}

/* 0 where they are not the sandbox's own: on a disk, a file system's figures tell of all its users. */
static uint64_t used_inodes(const char *path)
{
    struct statfs figures;
    if (statfs(path, &figures) != 0 || figures.f_type != TMPFS_MAGIC || figures.f_files < figures.f_ffree)
        return 0;
    return (uint64_t)(figures.f_files - figures.f_ffree);
}

/* Counts from now, in folders that were mounted by someone else. */
void folders_count_inodes(uint64_t most)
{
    most_inodes = most;
    for (int i = 0; i < FOLDERS; i += 1)
        inodes_before[i] = used_inodes(folders[i].path);
}

bool folders_have_too_many_inodes(void)
{
    for (int i = 0; i < FOLDERS && !mounted; i += 1)
        if (used_inodes(folders[i].path) > inodes_before[i] + most_inodes)
            return true;
    return false;
}
