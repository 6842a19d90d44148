#include "runner.h"

#include <errno.h>
#include <unistd.h>

/* The program from fd 0: the header and the payload. */

/*
 * 20 s: who keeps something waiting through a pipe that never ends by itself says so with a newline, more often than that
 * (backends/kubernetes/kubernetes-warm-pod.ts).
 */
enum { SILENCE_MS = 20 * 1000, FOR_EVER = -1 };

static void read_exactly(uint8_t *target, size_t length, bool exit_on_hangup, int silence_ms)
{
    size_t done = 0;
    while (done < length) {
        struct pollfd watched[WATCH_CONTROL + WATCH_AHEAD];
        control_watch(watched);
        watched[WATCH_INPUT] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
        stage_watch_ahead(watched + WATCH_CONTROL);
        int happened = poll(watched, WATCH_CONTROL + WATCH_AHEAD, silence_ms);
        if (happened == 0)
            stop();
        if (happened < 0 && errno != EINTR)
            die_errno("poll");
        bool readable = watched[WATCH_INPUT].revents != 0;
        watched[WATCH_INPUT].revents = 0;
        control_handle(watched);
        stage_handle_ahead(watched + WATCH_CONTROL);
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

void input_read(struct payload *payload, bool exit_on_hangup)
{
    uint8_t header[HEADER_BYTES];
    read_exactly(header, sizeof header, exit_on_hangup, FOR_EVER);
    payload_begin(payload, header);
    read_exactly(payload->bytes, payload->length, exit_on_hangup, FOR_EVER);
}

/* The program that something waits for, behind any number of newlines. Ends the runner with its input, or when that is silent. */
void input_await(struct payload *payload, bool exit_on_silence)
{
    uint8_t header[HEADER_BYTES];
    int silence_ms = exit_on_silence ? SILENCE_MS : FOR_EVER;
    do
        read_exactly(header, 1, true, silence_ms);
    while (header[0] == '\n');
    read_exactly(header + 1, sizeof header - 1, true, silence_ms);
    payload_begin(payload, header);
    read_exactly(payload->bytes, payload->length, true, silence_ms);
}
