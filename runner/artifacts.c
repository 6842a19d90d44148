#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Files that the program wrote below its work folder and its caller asked for, sent once nothing of the program runs.
 * Only regular files of the folder's own file system are opened, each by its folder's descriptor; no link is followed,
 * and nothing is read that could make the runner wait. Depth, number, bytes and time are bounded.
 */

enum { MAX_DEPTH = 32, MAX_NAMED = 100, MAX_WITH_CONTENT = 20, MAX_NAME = 255 };

/* 4 MiB: the content of all artifacts together. */
static const uint64_t MAX_CONTENT_BYTES = UINT64_C(4) << 20;

/* The time in which files are looked for: under gVisor on a busy machine 20,000 of them took more than 2 s. */
static const uint64_t MAX_WALK_US = 10000000;

struct found {
    char name[MAX_NAME + 1];
    uint64_t size;
};

/* In the order of their names, those that come last dropped, so that the same files give the same artifacts. */
static struct found found[MAX_NAMED];
static size_t found_count;
static uint64_t omitted;
static dev_t device;
static uint64_t walk_end_us;

static int compare_names(const void *left, const void *right)
{
    return strcmp(((const struct found *)left)->name, ((const struct found *)right)->name);
}

/* Adds a file; when there is no more room, in the place of the one that comes last. */
static void add(const char *name, uint64_t size)
{
    struct found added = {.size = size};
    strcpy(added.name, name);
    if (found_count == MAX_NAMED)
        omitted += 1;
    size_t place = found_count == MAX_NAMED ? MAX_NAMED - 1 : found_count;
    if (found_count == MAX_NAMED && compare_names(&added, &found[place]) >= 0)
        return;
    while (place > 0 && compare_names(&added, &found[place - 1]) < 0) {
        found[place] = found[place - 1];
        place -= 1;
    }
    found[place] = added;
    if (found_count < MAX_NAMED)
        found_count += 1;
}

static bool is_wanted(const struct program *program, const char *path)
{
    for (size_t i = 0; i < program->glob_count; i += 1)
        if (glob_matches(program->globs[i], path))
            return true;
    return false;
}

/* A name that JSON and people can take: UTF-8 without control characters. */
static bool is_printable(const char *path)
{
    char encoded[2 * MAX_NAME];
    size_t length = strlen(path);
    for (size_t i = 0; i < length; i += 1)
        if ((unsigned char)path[i] < ' ' || path[i] == 0x7f)
            return false;
    return text_encode(encoded, sizeof encoded, (const uint8_t *)path, length) > 0;
}

static void walk(const struct program *program, int folder, char *path, size_t path_length, int depth)
{
    struct entries entries;
    entries_begin(&entries, folder);
    for (const char *name; (name = entries_next(&entries)) != NULL && clock_us() < walk_end_us;) {
        struct stat status;
        size_t length = path_length + (path_length > 0) + strlen(name);
        if (length > MAX_NAME || fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0 || status.st_dev != device)
            continue;
        if (path_length > 0)
            path[path_length] = '/';
        strcpy(path + length - strlen(name), name);
        if (S_ISREG(status.st_mode) && is_wanted(program, path) && is_printable(path))
            add(path, (uint64_t)status.st_size);
        if (S_ISDIR(status.st_mode) && depth + 1 < MAX_DEPTH) {
            int child = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
            if (child < 0)
                continue;
            walk(program, child, path, length, depth + 1);
            close(child);
        }
    }
    path[path_length] = '\0';
}

/* Opens a regular file below the folder; -1 where there is none that can be read. */
static int open_file(int root, const char *path)
{
    char segment[MAX_NAME + 1];
    int folder = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (const char *slash; folder >= 0 && (slash = strchr(path, '/')) != NULL; path = slash + 1) {
        memcpy(segment, path, (size_t)(slash - path));
        segment[slash - path] = '\0';
        int child = openat(folder, segment, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(folder);
        folder = child;
    }
    if (folder < 0)
        return -1;
    int fd = openat(folder, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    close(folder);
    struct stat status;
    if (fd >= 0 && (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}

static void wait_for_room(void)
{
    while (!output_has_room_for_chunk())
        control_wait_for_reader();
}

static void send_content(int fd, uint64_t left)
{
    static uint8_t chunk[CHUNK_BYTES];
    while (left > 0) {
        ssize_t length = read(fd, chunk, left < CHUNK_BYTES ? (size_t)left : CHUNK_BYTES);
        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            die_errno("read an artifact");
        wait_for_room();
        frame_content(chunk, (size_t)length);
        output_flush();
        left -= (uint64_t)length;
    }
}

void artifacts_send(const struct program *program)
{
    char path[MAX_NAME + 1] = "";
    struct stat status;
    uint64_t left = MAX_CONTENT_BYTES;
    if (fstat(places_work(), &status) != 0)
        die_errno("fstat");
    device = status.st_dev;
    walk_end_us = clock_us() + MAX_WALK_US;
    /* The program may have closed its own folder. */
    fchmod(places_work(), (status.st_mode & 07777) | 0500);
    walk(program, places_work(), path, 0, 0);
    for (size_t i = 0; i < found_count; i += 1) {
        const struct found *file = &found[i];
        int fd = i < MAX_WITH_CONTENT && file->size <= left ? open_file(places_work(), file->name) : -1;
        wait_for_room();
        frame_artifact(file->name, file->size, fd >= 0);
        if (fd < 0)
            continue;
        send_content(fd, file->size);
        left -= file->size;
        close(fd);
    }
    wait_for_room();
    frame_artifacts_end(omitted);
}
