#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

/* A container runtime that is older than the call may answer EPERM where the kernel would ENOSYS. */
static int close_between(unsigned int first, unsigned int last)
{
    if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
        return 0;
    if (errno != ENOSYS && errno != EPERM)
        return errno;
    struct rlimit open_files;
    if (getrlimit(RLIMIT_NOFILE, &open_files) != 0)
        return errno;
    for (unsigned int fd = first; fd <= last && fd < open_files.rlim_max; fd += 1)
        close((int)fd);
    return 0;
}

/* Closes every descriptor from `first` on; 0 or an errno. */
int close_from(unsigned int first)
{
    return close_between(first, UINT_MAX);
}

/* Closes every descriptor above 2 but those in `keep`, where a negative one stands for none. */
void close_all_but(const int *keep, size_t count)
{
    unsigned int first = 3;
    for (;;) {
        unsigned int next = UINT_MAX;
        for (size_t i = 0; i < count; i += 1)
            if (keep[i] >= (int)first && (unsigned int)keep[i] < next)
                next = (unsigned int)keep[i];
        int error = close_between(first, next == UINT_MAX ? UINT_MAX : next - 1);
        if (error != 0)
            die("close_range: %s", error_name(error));
        if (next == UINT_MAX)
            return;
        first = next + 1;
    }
}

void set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0)
        die_errno("fcntl");
}

/* Reads what fits of a file as a text of at most `size` - 1 bytes; false when it cannot be read or is empty. */
bool read_text(int folder, const char *name, char *text, size_t size)
{
    int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t length = 0;
    ssize_t got;
    while (length < size - 1 && (got = read(fd, text + length, size - 1 - length)) > 0)
        length += (size_t)got;
    close(fd);
    text[length] = '\0';
    return length > 0;
}
