#include "runner.h"

#include <errno.h>
#include <unistd.h>

/* The program from fd 0: the header and the payload. */

static void read_exactly(uint8_t *target, size_t length, bool exit_on_hangup)
{
    size_t done = 0;
    while (done < length) {
        struct pollfd watched[WATCH_CONTROL + WATCH_AHEAD];
        control_watch(watched);
        watched[WATCH_INPUT] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
        stage_watch_ahead(watched + WATCH_CONTROL);
        if (poll(watched, WATCH_CONTROL + WATCH_AHEAD, -1) < 0 && errno != EINTR)
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
    read_exactly(header, sizeof header, exit_on_hangup);
    payload_begin(payload, header);
    read_exactly(payload->bytes, payload->length, exit_on_hangup);
}
