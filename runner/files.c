#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Writes the program's files below /work, while nothing of the program runs. No link is followed. */

/* The folder that all of them are below. */
int files_folder(void)
{
    int folder = open("/work", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        die_errno("open /work");
    return folder;
}

static int enter_folder(int parent, const char *name)
{
    if (mkdirat(parent, name, 0755) != 0 && errno != EEXIST)
        die_errno("mkdir");
    int folder = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0)
        die_errno("open a folder of the program");
    close(parent);
    return folder;
}

static void write_content(int fd, const struct file *file)
{
    size_t done = 0;
    while (done < file->length) {
        ssize_t written = write(fd, file->content + done, file->length - done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            die_errno("write a file of the program");
        done += (size_t)written;
    }
}

static int open_new_file(int folder, const char *name)
{
    return openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
}

static void write_file(const struct file *file, bool replaces)
{
    int folder = files_folder();
    const char *rest = file->name;
    for (const char *slash; (slash = strchr(rest, '/')) != NULL; rest = slash + 1) {
        char segment[MAX_NAME_BYTES + 1];
        size_t length = (size_t)(slash - rest);
        memcpy(segment, rest, length);
        segment[length] = '\0';
        folder = enter_folder(folder, segment);
    }
    if (S_ISDIR(file->mode)) {
        close(enter_folder(folder, rest));
        return;
    }
    if (replaces && unlinkat(folder, rest, 0) != 0 && errno != ENOENT)
        die_errno("replace a file of the program");
    int fd = open_new_file(folder, rest);
    if (fd < 0)
        die_errno("create a file of the program");
    close(folder);
    write_content(fd, file);
    if (fchmod(fd, file->mode) != 0)
        die_errno("change the mode of a file of the program");
    close(fd);
}

/* Puts the file where something else of its name is, in one step: whoever opens the name finds one or the other. */
void files_put_over(const struct file *file)
{
    int folder = files_folder();
    char beside[16];
    int fd = -1;
    /* The program may have files of such names, but not of all. */
    for (int i = 0; i <= MAX_FILES && fd < 0; i += 1) {
        snprintf(beside, sizeof beside, ".new-%d", i);
        fd = open_new_file(folder, beside);
        if (fd < 0 && errno != EEXIST)
            die_errno("create a file of the program");
    }
    write_content(fd, file);
    close(fd);
    if (renameat(folder, beside, folder, file->name) != 0)
        die_errno("rename a file of the program");
    close(folder);
}

static void write_files(const struct file *files, size_t count, bool replaces)
{
    umask(022);
    for (size_t i = 0; i < count; i += 1)
        write_file(&files[i], replaces);
}

void files_write(const struct file *files, size_t count)
{
    write_files(files, count, false);
}

/* The same in place of files that are there by these names. */
void files_replace(const struct file *files, size_t count)
{
    write_files(files, count, true);
}
