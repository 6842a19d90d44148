#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * What the compile stage left in the work folder, sent as the records that put it into another sandbox (program.c), so that
 * the same need not be compiled twice. It is read when the compiler is dead and nothing of the program has begun, by the
 * folders' descriptors. Only what those records can tell is sent: regular files, and folders with the usual mode. With
 * anything else in the work folder, or with more than was asked for, nothing is kept.
 */

enum { MAX_DEPTH = 32 };

/* A tag and the lengths around it: of the record, then a mode and the length of the name. */
enum { RECORD_BYTES = 5, FILE_BYTES = 4 };

static const mode_t FOLDER_MODE = 0755;

static uint8_t chunk[CHUNK_BYTES];
static size_t chunk_length;
static uint64_t bytes_left;
static size_t files_left;
static char path[MAX_PATH_BYTES + 1];

static void send_chunk(void)
{
    while (!output_has_room_for_chunk())
        control_wait_for_reader();
    frame_kept(chunk, chunk_length);
    output_flush();
    chunk_length = 0;
}

static void put(const void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        size_t room = CHUNK_BYTES - chunk_length;
        size_t part = length - done < room ? length - done : room;
        memcpy(chunk + chunk_length, (const uint8_t *)bytes + done, part);
        chunk_length += part;
        done += part;
        if (chunk_length == CHUNK_BYTES)
            send_chunk();
    }
}

static void put_number(uint64_t value, size_t length)
{
    uint8_t bytes[4];
    for (size_t i = 0; i < length; i += 1)
        bytes[i] = (uint8_t)(value >> 8 * i);
    put(bytes, length);
}

static bool put_content(int fd, uint64_t left)
{
    while (left > 0) {
        size_t room = CHUNK_BYTES - chunk_length;
        ssize_t length = read(fd, chunk + chunk_length, left < room ? (size_t)left : room);
        if (length < 0 && errno == EINTR)
            continue;
        if (length <= 0)
            return false;
        chunk_length += (size_t)length;
        left -= (uint64_t)length;
        if (chunk_length == CHUNK_BYTES)
            send_chunk();
    }
    return true;
}

/* What comes before the content of a file; all of a folder's. False when there is no room for it. */
static bool put_entry(mode_t mode, size_t path_length, uint64_t size)
{
    uint64_t around = RECORD_BYTES + FILE_BYTES + path_length;
    if (files_left == 0 || bytes_left < around || bytes_left - around < size)
        return false;
    files_left -= 1;
    bytes_left -= around + size;
    put("K", 1);
    put_number(FILE_BYTES + path_length + size, 4);
    put_number(mode, 2);
    put_number(path_length, 2);
    put(path, path_length);
    return true;
}

static bool send_opened(int fd, size_t path_length)
{
    struct stat status;
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || (status.st_mode & 07000) != 0)
        return false;
    uint64_t size = (uint64_t)status.st_size;
    return put_entry(status.st_mode & 0777, path_length, size) && put_content(fd, size);
}

static bool send_file(int folder, const char *name, size_t path_length)
{
    /* Never waits, whatever it is. */
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool sent = fd >= 0 && send_opened(fd, path_length);
    if (fd >= 0)
        close(fd);
    return sent;
}

/* False when there is something that cannot be kept. A folder comes with its files, and by itself where it has none. */
static bool send_folder(int folder, size_t path_length, int depth)
{
    struct entries entries;
    struct stat status;
    bool is_empty = depth > 0;
    if (depth == MAX_DEPTH || fstat(folder, &status) != 0 || (status.st_mode & 07777) != FOLDER_MODE)
        return false;
    entries_begin(&entries, folder);
    for (const char *name; (name = entries_next(&entries)) != NULL; is_empty = false) {
        size_t length = path_length + (path_length > 0) + strlen(name);
        if (length > MAX_PATH_BYTES)
            return false;
        if (path_length > 0)
            path[path_length] = '/';
        strcpy(path + length - strlen(name), name);
        int child = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        bool sent = child >= 0 ? send_folder(child, length, depth + 1) : send_file(folder, name, length);
        if (child >= 0)
            close(child);
        if (!sent)
            return false;
    }
    return !is_empty || put_entry(S_IFDIR | FOLDER_MODE, path_length, 0);
}

/* Sends what is in the work folder as far as `most_bytes` go, and whether that was all. */
void kept_send(uint64_t most_bytes)
{
    bytes_left = most_bytes < MAX_PAYLOAD_BYTES ? most_bytes : MAX_PAYLOAD_BYTES;
    files_left = MAX_FILES;
    bool is_whole = send_folder(places_work(), 0, 0);
    if (chunk_length > 0)
        send_chunk();
    while (!output_has_room_for_chunk())
        control_wait_for_reader();
    frame_kept_end(is_whole);
    output_flush();
}
