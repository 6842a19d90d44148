#include "runner.h"

#include <fcntl.h>
#include <unistd.h>

/* What an image says of its toolchain's version: one line, of characters that JSON takes as they are. */

static const char PLACE[] = "/opt/sandbox/version";

enum { MAX_VERSION_BYTES = 64 };

/* The version, or NULL when the file is not there or holds something else. */
const char *toolchain_version(void)
{
    static char text[MAX_VERSION_BYTES + 2];
    int fd = open(PLACE, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    ssize_t length = read(fd, text, sizeof text);
    close(fd);
    if (length > 0 && text[length - 1] == '\n')
        length -= 1;
    if (length <= 0 || length > MAX_VERSION_BYTES)
        return NULL;
    text[length] = '\0';
    for (ssize_t i = 0; i < length; i += 1)
        if (text[i] < ' ' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
            return NULL;
    return text;
}
