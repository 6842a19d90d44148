#include "runner.h"

#include <zlib.h>

/* Unpacks a zlib stream (RFC 1950) that comes in pieces into a place that is as long as what was packed. */

/* What zlib allocates: its state and a window of 32 KiB, on every architecture less than this. */
enum { ARENA_BYTES = 64 << 10 };

static _Alignas(max_align_t) uint8_t arena[ARENA_BYTES];
static size_t arena_used;
static z_stream stream;
static bool ended;

static void *allocate(void *unused, unsigned int count, unsigned int size)
{
    (void)unused;
    size_t length = ((size_t)count * size + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) * _Alignof(max_align_t);
    if (length > ARENA_BYTES - arena_used)
        return NULL;
    arena_used += length;
    return arena + arena_used - length;
}

static void release(void *unused, void *memory)
{
    (void)unused;
    (void)memory;
}

/* `target` has room for `length` bytes and one more, which tells that too much was packed. */
void unpack_begin(uint8_t *target, size_t length)
{
    stream = (z_stream){
        .zalloc = allocate, .zfree = release, .next_out = target, .avail_out = (unsigned int)(length + 1)};
    if (inflateInit(&stream) != Z_OK)
        die("zlib: inflateInit failed");
}

void unpack(const uint8_t *piece, size_t length)
{
    stream.next_in = (z_const Bytef *)piece;
    stream.avail_in = (unsigned int)length;
    while (stream.avail_in > 0) {
        if (ended)
            die("program: bytes follow the packed payload");
        int result = inflate(&stream, Z_NO_FLUSH);
        if (result != Z_OK && result != Z_STREAM_END)
            die("program: the packed payload is damaged");
        if (stream.avail_out == 0)
            die("program: the payload is longer than its header says");
        ended = result == Z_STREAM_END;
    }
}

/* Ends the runner unless the stream, with its check sum, and all that the payload should have came. */
void unpack_end(void)
{
    if (!ended)
        die("program: the packed payload ended early");
    if (stream.avail_out != 1)
        die("program: the payload is shorter than its header says");
}
