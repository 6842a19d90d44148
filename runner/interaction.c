#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * What is said to a program while it runs. Behind an interactive program come lines on fd 0:
 *
 *   i BYTES BASE64   more for its stdin: so many bytes, MAX_INPUT_BYTES at most
 *   e                the end of its stdin; of a terminal there is none but the character that means it
 *   s NUMBER         a signal for it: SIGINT, SIGTERM or SIGKILL
 *   r COLUMNS ROWS   the size of its terminal
 *
 * Any other line is passed over: whoever writes may be cut off, and the next one then begins with an empty line.
 *
 * What is for stdin waits in a buffer until the program takes it. While that has no room for the next line, nothing is read;
 * those who write know by "fed" frames how much was taken, and keep less on its way than the buffer holds, so that a signal
 * never waits behind what nobody reads.
 */

enum { MAX_INPUT_BYTES = 16 << 10, RECEIVED_BYTES = 64 << 10, PENDING_BYTES = 128 << 10 };

/* A quarter of what writers keep on its way (core/interaction.ts): they never wait for a frame that does not come. */
enum { FED_STEP_BYTES = 16 << 10 };

static bool active;
static bool open_for_more;

static char received[RECEIVED_BYTES];
static size_t received_length;
static bool in_long_line;

static uint8_t pending[PENDING_BYTES];
static size_t pending_start;
static size_t pending_end;
static bool has_ended;
static bool nobody_reads;
static uint64_t fed_bytes;
static uint64_t told_bytes;

static pid_t process; /* of the stage, which leads a process group; 0 between stages */
static int terminal = -1;
static struct terminal_size size;

/* Makes the bytes on fd 0 behind the program what is said to it. */
void interaction_begin(const struct stage *run)
{
    active = open_for_more = true;
    size = run->terminal;
}

bool interaction_is_active(void)
{
    return active;
}

/* Whether fd 0 is to be read. */
bool interaction_wants_more(void)
{
    return open_for_more && received_length < RECEIVED_BYTES;
}

/* From now on signals and sizes are for a stage's process and, unless it is -1, its terminal. */
void interaction_attach(pid_t to_process, int to_terminal)
{
    process = to_process;
    terminal = to_terminal;
}

struct terminal_size interaction_terminal_size(void)
{
    return size;
}

static bool has_room(void)
{
    if (pending_start > 0 && PENDING_BYTES - pending_end < MAX_INPUT_BYTES) {
        memmove(pending, pending + pending_start, pending_end - pending_start);
        pending_end -= pending_start;
        pending_start = 0;
    }
    return PENDING_BYTES - pending_end >= MAX_INPUT_BYTES;
}

/* Appends what the line says, if it says it whole. */
static void take_input(const char *text)
{
    unsigned int announced;
    int read_chars = 0;
    struct base64 state = {0};
    if (sscanf(text, "%5u %n", &announced, &read_chars) != 1 || read_chars == 0 || announced > MAX_INPUT_BYTES)
        return;
    size_t end = pending_end;
    for (const char *digit = text + read_chars; *digit != '\0'; digit += 1) {
        uint8_t byte;
        if (!base64_decode(&state, *digit, &byte))
            continue;
        if (end - pending_end == announced)
            return;
        pending[end++] = byte;
    }
    if (!base64_is_whole(&state) || end - pending_end != announced || has_ended)
        return;
    if (nobody_reads)
        fed_bytes += announced;
    else
        pending_end = end;
}

/* To all in the foreground, as a terminal does it, or to the program's own process group. */
static void send_signal(int number)
{
    if ((number != SIGINT && number != SIGTERM && number != SIGKILL) || process == 0)
        return;
    pid_t group = terminal >= 0 ? terminal_foreground(terminal) : 0;
    if (number == SIGKILL || kill(-(group > 0 ? group : process), number) != 0)
        kill(process, number);
}

static void take_size(struct terminal_size asked)
{
    size = asked;
    if (terminal >= 0)
        terminal_resize(terminal, size);
}

static void take_line(const char *line)
{
    int number;
    struct terminal_size asked;
    if (line[0] == 'i' && line[1] == ' ')
        take_input(line + 2);
    else if (strcmp(line, "e") == 0)
        has_ended = true;
    else if (sscanf(line, "s %2d", &number) == 1)
        send_signal(number);
    else if (sscanf(line, "r %5hu %5hu", &asked.columns, &asked.rows) == 2)
        take_size(asked);
}

/* Takes each line that is whole, as long as there is room for what it may bring. */
static void take_lines(void)
{
    size_t at = 0;
    while (at < received_length) {
        char *start = received + at;
        char *newline = memchr(start, '\n', received_length - at);
        if (newline == NULL || (*start == 'i' && !has_room()))
            break;
        *newline = '\0';
        if (!in_long_line)
            take_line(start);
        in_long_line = false;
        at += (size_t)(newline - start) + 1;
    }
    received_length -= at;
    memmove(received, received + at, received_length);
    if (received_length == RECEIVED_BYTES && memchr(received, '\n', received_length) == NULL) {
        in_long_line = true;
        received_length = 0;
    }
}

/* Reads fd 0; false at its end. */
bool interaction_read(void)
{
    ssize_t length = read(STDIN_FILENO, received + received_length, RECEIVED_BYTES - received_length);
    if (length < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    if (length <= 0) {
        open_for_more = false;
        return false;
    }
    received_length += (size_t)length;
    take_lines();
    return true;
}

/* What is for stdin, and how long it is. */
const uint8_t *interaction_pending(size_t *length)
{
    *length = pending_end - pending_start;
    return pending + pending_start;
}

void interaction_fed(size_t length)
{
    pending_start += length;
    fed_bytes += length;
    take_lines();
}

/* Nobody will read stdin any more: what comes for it is dropped. */
void interaction_discard(void)
{
    nobody_reads = true;
    interaction_fed(pending_end - pending_start);
}

/* Whether all of stdin was fed, and its end is said. */
bool interaction_is_over(void)
{
    return has_ended && pending_start == pending_end;
}

/* Tells how much was taken, when that is worth a frame. */
void interaction_tell(void)
{
    if (fed_bytes - told_bytes < FED_STEP_BYTES || !output_has_room_for_chunk())
        return;
    told_bytes = fed_bytes;
    frame_fed(fed_bytes);
}
