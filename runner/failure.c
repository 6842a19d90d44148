#include "runner.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

/* How long a runner that fails waits for a reader that is slow. */
enum { LAST_WORDS_MS = 1000 };

/* Ends the runner for a fault of its own or of its input, and tells it on fd 2 and, as process 1, in a frame. */
_Noreturn void die(const char *format, ...)
{
    char message[256];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof message, format, values);
    va_end(values);
    dprintf(STDERR_FILENO, "runner: %s\n", message);
    if (getpid() == 1) {
        frame_failed(message);
        output_flush_within(LAST_WORDS_MS);
    }
    _exit(EXIT_FAILED);
}

_Noreturn void die_errno(const char *call)
{
    die("%s: %s", call, error_name(errno));
}
