#include "runner.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where a program's bytes come from: fd 0, as a magic word, the payload's length, and the payload. */

static const char magic[8] = "SBXRUN01";

enum { HEADER_BYTES = 12 };

static void read_exactly(uint8_t *target, size_t length, bool exit_on_hangup)
{
    size_t done = 0;
    while (done < length) {
        struct pollfd watched[WATCH_CONTROL];
        control_watch(watched);
        watched[WATCH_INPUT] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
        if (poll(watched, WATCH_CONTROL, -1) < 0 && errno != EINTR)
            die_errno("poll");
        bool readable = watched[WATCH_INPUT].revents != 0;
        watched[WATCH_INPUT].revents = 0;
        control_handle(watched);
        output_flush();
        if (!readable)
            continue;
        ssize_t got = read(STDIN_FILENO, target + done, length - done);
        if (got == 0 && exit_on_hangup)
            stop();
        if (got == 0)
            die("program: the input ended early");
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            die_errno("read");
        if (got > 0)
            done += (size_t)got;
    }
}

/* Memory for `length` bytes and one more, laid out so that anything read or written beyond faults. */
static uint8_t *map_payload(size_t length)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (length + 1 + page - 1) / page * page;
    uint8_t *memory = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        die_errno("mmap");
    if (mprotect(memory + size, page, PROT_NONE) != 0)
        die_errno("mprotect");
    return memory + size - (length + 1);
}

void input_read(struct payload *payload, bool exit_on_hangup)
{
    uint8_t header[HEADER_BYTES];
    read_exactly(header, sizeof header, exit_on_hangup);
    if (memcmp(header, magic, sizeof magic) != 0)
        die("program: it does not begin with the magic word");
    payload->length = (size_t)header[8] | (size_t)header[9] << 8 | (size_t)header[10] << 16 | (size_t)header[11] << 24;
    if (payload->length > MAX_PAYLOAD_BYTES)
        die("program: the payload is longer than %u bytes", (unsigned int)MAX_PAYLOAD_BYTES);
    payload->bytes = map_payload(payload->length);
    read_exactly(payload->bytes, payload->length, exit_on_hangup);
}

/* Gives the whole pages between back to the kernel: what the payload holds counts as the sandbox's memory. */
void payload_release(const uint8_t *from, const uint8_t *to)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)from + page - 1) / page * page;
    uintptr_t last = (uintptr_t)to / page * page;
    if (first < last)
        madvise((void *)first, last - first, MADV_DONTNEED);
}
