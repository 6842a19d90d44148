#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * The work folder as the program's files and its compiler left it, kept in a file of the runner's memory that no program
 * can reach, and put back before each test. Regular files, folders and symbolic links are kept, with modes and times;
 * nothing else is a compiler's output.
 */

#define MAX_SNAPSHOT_BYTES (UINT64_C(64) << 20)
enum { MAX_DEPTH = 64 };

enum kind { KIND_FILE, KIND_LINK, KIND_FOLDER, KIND_FOLDER_END, KIND_END };

/* Is followed by the path below the work folder and its NUL, and then by the content. */
struct record {
    enum kind kind;
    mode_t mode;
    struct timespec modified;
    size_t path_length;
    size_t length;
};

static int memory_fd = -1;
static const uint8_t *memory;
static uint64_t taken;
static char path[MAX_PATH_BYTES + 1];

/* What the snapshot holds of the sandbox's memory. */
uint64_t snapshot_bytes(void)
{
    return taken;
}

static void put(const void *bytes, size_t length)
{
    for (size_t done = 0; done < length;) {
        ssize_t written = write(memory_fd, (const char *)bytes + done, length - done);
        if (written < 0 && errno != EINTR)
            die_errno("write the snapshot");
        if (written > 0)
            done += (size_t)written;
    }
}

static void put_record(enum kind kind, const struct stat *status, size_t path_length, size_t length)
{
    struct record record = {kind, status->st_mode & 07777, status->st_mtim, path_length, length};
    taken += sizeof record + path_length + 1 + length;
    if (taken > MAX_SNAPSHOT_BYTES)
        die("the compiled program takes more than %u bytes, too many to run tests with",
            (unsigned int)MAX_SNAPSHOT_BYTES);
    put(&record, sizeof record);
    put(path, path_length + 1);
}

static void take_file(int folder, const char *name, const struct stat *status, size_t path_length)
{
    /* Never waits, whatever it is; and a file that not even its owner may read is read all the same. */
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int fd = openat(folder, name, flags);
    if (fd < 0 && errno == EACCES && fchmodat(folder, name, 0600, 0) == 0)
        fd = openat(folder, name, flags);
    if (fd < 0)
        die_errno("open a file for the snapshot");
    size_t left = (size_t)status->st_size;
    put_record(KIND_FILE, status, path_length, left);
    while (left > 0) {
        ssize_t copied = sendfile(memory_fd, fd, NULL, left);
        if (copied < 0 && errno == EINTR)
            continue;
        if (copied <= 0)
            die_errno("copy a file for the snapshot");
        left -= (size_t)copied;
    }
    close(fd);
}

static void take_link(int folder, const char *name, const struct stat *status, size_t path_length)
{
    char target[MAX_PATH_BYTES + 1];
    ssize_t length = readlinkat(folder, name, target, sizeof target - 1);
    if (length < 0)
        die_errno("readlink");
    target[length] = '\0';
    put_record(KIND_LINK, status, path_length, (size_t)length + 1);
    put(target, (size_t)length + 1);
}

static void take_folder(int folder, size_t path_length, int depth)
{
    struct entries entries;
    if (depth == MAX_DEPTH)
        die("the compiled program has folders deeper than %d, too deep to run tests with", MAX_DEPTH);
    entries_begin(&entries, folder);
    for (const char *name; (name = entries_next(&entries)) != NULL;) {
        struct stat status;
        size_t length = path_length + (path_length > 0) + strlen(name);
        if (length > MAX_PATH_BYTES)
            die("the compiled program has a path longer than %d bytes", MAX_PATH_BYTES);
        if (path_length > 0)
            path[path_length] = '/';
        strcpy(path + length - strlen(name), name);
        if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
            die_errno("stat");
        if (S_ISREG(status.st_mode))
            take_file(folder, name, &status, length);
        if (S_ISLNK(status.st_mode))
            take_link(folder, name, &status, length);
        if (!S_ISDIR(status.st_mode))
            continue;
        put_record(KIND_FOLDER, &status, length, 0);
        int child = entries_enter(folder, name);
        take_folder(child, length, depth + 1);
        close(child);
        path[length] = '\0';
        put_record(KIND_FOLDER_END, &status, length, 0);
    }
}

/* Keeps what is in the work folder, whose modes are not to be relied on after it. */
void snapshot_take(void)
{
    memory_fd = memfd_create("snapshot", MFD_CLOEXEC);
    if (memory_fd < 0)
        die_errno("memfd_create");
    take_folder(places_work(), 0, 0);
    path[0] = '\0';
    put_record(KIND_END, &(struct stat){0}, 0, 0);
    memory = mmap(NULL, taken, PROT_READ, MAP_SHARED, memory_fd, 0);
    if (memory == MAP_FAILED)
        die_errno("mmap the snapshot");
    madvise((void *)(uintptr_t)memory, taken, MADV_DONTFORK);
}

static void restore_file(const struct record *record, const char *name, const uint8_t *content)
{
    int fd = openat(places_work(), name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        die_errno("restore a file");
    for (size_t done = 0; done < record->length;) {
        ssize_t written = write(fd, content + done, record->length - done);
        if (written < 0 && errno != EINTR)
            die_errno("restore a file's content");
        if (written > 0)
            done += (size_t)written;
    }
    if (fchmod(fd, record->mode) != 0)
        die_errno("restore a file's mode");
    futimens(fd, (struct timespec[2]){record->modified, record->modified});
    close(fd);
}

static void restore_folder_end(const struct record *record, const char *name)
{
    utimensat(places_work(), name, (struct timespec[2]){record->modified, record->modified}, AT_SYMLINK_NOFOLLOW);
    if (fchmodat(places_work(), name, record->mode, 0) != 0)
        die_errno("restore a folder's mode");
}

/* Puts the work folder, which is empty, back to what it was. */
void snapshot_restore(void)
{
    umask(022);
    for (const uint8_t *at = memory;;) {
        struct record record;
        memcpy(&record, at, sizeof record);
        const char *name = (const char *)at + sizeof record;
        const uint8_t *content = at + sizeof record + record.path_length + 1;
        at = content + record.length;
        if (record.kind == KIND_END)
            return;
        if (record.kind == KIND_FILE)
            restore_file(&record, name, content);
        else if (record.kind == KIND_FOLDER_END)
            restore_folder_end(&record, name);
        else if (record.kind == KIND_FOLDER && mkdirat(places_work(), name, 0700) != 0)
            die_errno("restore a folder");
        else if (record.kind == KIND_LINK && symlinkat((const char *)content, places_work(), name) != 0)
            die_errno("restore a link");
    }
}
