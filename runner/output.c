#include "runner.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The bounded buffer before fd 1. Frames are put in whole; a frame that has no room waits, and so does the program. */

enum { CAPACITY = 256 << 10 };

/* Base64 of a chunk and the frame around it. */
#define CHUNK_FRAME_BYTES (BASE64_BYTES(CHUNK_BYTES) + 128)

/* What chunks leave free, so that the frames that end a stage never wait for room. */
enum { ROOM_FOR_ENDING = 4 << 10 };

static char buffer[CAPACITY];
static size_t pending_start;
static size_t pending_end;

/* Room for `length` more bytes, to be filled and committed at once. */
char *output_reserve(size_t length)
{
    if (length > CAPACITY - pending_end) {
        memmove(buffer, buffer + pending_start, pending_end - pending_start);
        pending_end -= pending_start;
        pending_start = 0;
    }
    if (length > CAPACITY - pending_end)
        _exit(EXIT_FAILED);
    return buffer + pending_end;
}

void output_commit(size_t length)
{
    pending_end += length;
}

bool output_has_room_for_chunk(void)
{
    return pending_end - pending_start + CHUNK_FRAME_BYTES + ROOM_FOR_ENDING <= CAPACITY;
}

bool output_is_pending(void)
{
    return pending_start < pending_end;
}

/* Writes what fd 1 takes without waiting; true when nothing is left. Ends the runner when the reader is gone. */
bool output_flush(void)
{
    while (output_is_pending()) {
        ssize_t written = write(STDOUT_FILENO, buffer + pending_start, pending_end - pending_start);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EAGAIN)
            return false;
        if (written < 0)
            stop();
        pending_start += (size_t)written;
    }
    pending_start = pending_end = 0;
    return true;
}

/* The same, waiting for the reader; `milliseconds` bounds each wait for it to take something. */
void output_flush_within(int milliseconds)
{
    struct pollfd reader = {.fd = STDOUT_FILENO, .events = POLLOUT};
    while (!output_flush())
        if (poll(&reader, 1, milliseconds) <= 0)
            return;
}
