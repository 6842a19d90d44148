#include "runner.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where the program's bytes are kept, whichever way they come. */

static const char magic[8] = "SBXRUN01";
static const char magic_ahead[8] = "SBXWAIT1";
static const char magic_anew[8] = "SBXANEW1";

/* As long as most payloads or longer; of what is not used the kernel has no memory. */
enum { READY_BYTES = 64 << 10 };

/* The end of so much memory, for the next payload. */
static uint8_t *ready_end;

/* The end of at least `size` bytes of memory, behind which anything that is read or written faults. */
static uint8_t *map_before_guard(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size = (size + page - 1) / page * page;
    uint8_t *memory = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        die_errno("mmap");
    if (mprotect(memory + size, page, PROT_NONE) != 0)
        die_errno("mprotect");
    return memory + size;
}

/* Makes room for the payload after this one, which is not to wait for it. */
void payload_make_ready(void)
{
    ready_end = map_before_guard(READY_BYTES);
}

/* Memory for `length` bytes and one more. */
static uint8_t *memory_for(size_t length)
{
    uint8_t *end = ready_end != NULL && length < READY_BYTES ? ready_end : map_before_guard(length + 1);
    ready_end = NULL;
    return end - (length + 1);
}

/* Makes room for the payload that a header, the magic word and the payload's length, announces. */
void payload_begin(struct payload *payload, const uint8_t header[HEADER_BYTES])
{
    if (memcmp(header, magic, sizeof magic) == 0)
        payload->kind = PAYLOAD_PROGRAM;
    else if (memcmp(header, magic_ahead, sizeof magic_ahead) == 0)
        payload->kind = PAYLOAD_AHEAD;
    else if (memcmp(header, magic_anew, sizeof magic_anew) == 0)
        payload->kind = PAYLOAD_ANEW;
    else
        die("program: it does not begin with the magic word");
    payload->length = (size_t)header[8] | (size_t)header[9] << 8 | (size_t)header[10] << 16 | (size_t)header[11] << 24;
    if (payload->length > MAX_PAYLOAD_BYTES)
        die("program: the payload is longer than %u bytes", (unsigned int)MAX_PAYLOAD_BYTES);
    payload->bytes = memory_for(payload->length);
}

static void advise(const uint8_t *from, const uint8_t *to, int advice)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t first = ((uintptr_t)from + page - 1) / page * page;
    uintptr_t last = (uintptr_t)to / page * page;
    if (first < last)
        madvise((void *)first, last - first, advice);
}

/* Gives the whole pages between back to the kernel: what the payload holds counts as the sandbox's memory. */
void payload_release(const uint8_t *from, const uint8_t *to)
{
    advise(from, to, MADV_DONTNEED);
}

/* Keeps the whole pages between out of children: whatever a child holds before execve counts as its own memory. */
void payload_keep_from_children(const uint8_t *from, const uint8_t *to)
{
    advise(from, to, MADV_DONTFORK);
}
