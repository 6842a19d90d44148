#include "runner.h"

#include <string.h>
#include <unistd.h>

/*
 * The program from the environment, for a container whose description is all that anyone sends: the variables
 * SANDBOX_PROGRAM_0, SANDBOX_PROGRAM_1 and so on make up one text in base64, which is the header, as on fd 0, and the
 * payload packed by zlib. No variable is longer than MAX_PART_BYTES, for execve(2) takes 128 KiB at most.
 */

static const char PREFIX[] = "SANDBOX_PROGRAM_";

enum { MAX_PARTS = 64, MAX_PART_BYTES = 100 << 10, PIECE_BYTES = 4 << 10 };

static char *parts[MAX_PARTS];
static size_t part_count;
static uint8_t header[HEADER_BYTES];
static size_t header_length;

/* The number that a name's rest, up to `=`, is in its usual form; MAX_PARTS when it is none of a part. */
static size_t part_number(const char *rest)
{
    size_t length = strcspn(rest, "=");
    if (length == 0 || length > 2 || strspn(rest, "0123456789") != length || (length > 1 && rest[0] == '0'))
        return MAX_PARTS;
    size_t number = (size_t)(rest[0] - '0');
    return length == 1 ? number : number * 10 + (size_t)(rest[1] - '0');
}

static void find_parts(void)
{
    for (char **variable = environ; *variable != NULL; variable += 1) {
        if (strncmp(*variable, PREFIX, sizeof PREFIX - 1) != 0)
            continue;
        char *rest = *variable + sizeof PREFIX - 1;
        char *value = strchr(rest, '=');
        size_t number = part_number(rest);
        if (value == NULL || number >= MAX_PARTS || parts[number] != NULL)
            die("program: %s is followed by something else than numbers from 0 to %d, each once", PREFIX,
                MAX_PARTS - 1);
        parts[number] = value + 1;
        part_count += 1;
    }
    for (size_t i = 0; i < part_count || i == 0; i += 1)
        if (parts[i] == NULL)
            die("program: the variable %s%zu is missing", PREFIX, i);
}

/* Collects the header, and then unpacks what follows it. */
static void take(struct payload *payload, const uint8_t *bytes, size_t length)
{
    while (header_length < HEADER_BYTES && length > 0) {
        header[header_length++] = *bytes++;
        length -= 1;
        if (header_length == HEADER_BYTES) {
            payload_begin(payload, header);
            unpack_begin(payload->bytes, payload->length);
        }
    }
    if (length > 0)
        unpack(bytes, length);
}

void environment_read(struct payload *payload)
{
    struct base64 state = {0};
    static uint8_t piece[PIECE_BYTES];
    size_t length = 0;

    *payload = (struct payload){0};
    find_parts();
    for (size_t i = 0; i < part_count; i += 1) {
        size_t part_length = strlen(parts[i]);
        if (part_length > MAX_PART_BYTES)
            die("program: the variable %s%zu is longer than %d bytes", PREFIX, i, MAX_PART_BYTES);
        for (size_t at = 0; at < part_length; at += 1) {
            if (base64_decode(&state, parts[i][at], &piece[length]))
                length += 1;
            if (length == PIECE_BYTES) {
                take(payload, piece, length);
                length = 0;
            }
        }
        payload_release((uint8_t *)parts[i], (uint8_t *)parts[i] + part_length);
    }
    if (!base64_is_whole(&state))
        die("program: the environment's text is not base64");
    take(payload, piece, length);
    if (payload->bytes == NULL)
        die("program: the environment's text ended early");
    unpack_end();
}
