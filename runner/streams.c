#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* The runner's ends of a stage's three pipes: what is fed to stdin, and what comes out, up to its cap. */

/* 64 KiB: what a pipe holds by default (pipe(7)). */
enum { FEED_BYTES = 64 << 10 };

static uint64_t taken_bytes;

static void open_pipe(int *ours, int *child, bool child_writes)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0)
        die_errno("pipe2");
    *ours = ends[child_writes ? 0 : 1];
    *child = ends[child_writes ? 1 : 0];
    set_nonblocking(*ours);
}

static void end_feed(struct streams *streams)
{
    close(streams->stdin_fd);
    streams->stdin_fd = -1;
    if (streams->releases)
        payload_release(streams->feed_released, streams->feed_end);
}

/* Nobody has stdin's other end any more. */
static void leave(struct streams *streams)
{
    if (streams->is_live)
        interaction_discard();
    end_feed(streams);
}

/* What is said while the program runs: goes on until its end is said. */
static void feed_live(struct streams *streams)
{
    size_t length;
    const uint8_t *bytes = interaction_pending(&length);
    while (length > 0) {
        ssize_t written = write(streams->stdin_fd, bytes, length);
        if (written < 0 && errno == EAGAIN)
            return;
        if (written < 0 && (errno == EPIPE || errno == EIO))
            return leave(streams);
        if (written < 0 && errno != EINTR)
            die_errno("write stdin");
        if (written > 0) {
            streams->moved_bytes += (uint64_t)written;
            interaction_fed((size_t)written);
        }
        bytes = interaction_pending(&length);
    }
    /* A terminal has no end. */
    if (interaction_is_over() && streams->terminal < 0)
        end_feed(streams);
}

static void feed(struct streams *streams)
{
    while (streams->feed < streams->feed_end) {
        size_t length = (size_t)(streams->feed_end - streams->feed);
        ssize_t written = write(streams->stdin_fd, streams->feed, length < FEED_BYTES ? length : FEED_BYTES);
        if (written < 0 && errno == EAGAIN)
            break;
        if (written < 0 && (errno == EPIPE || errno == EIO))
            return leave(streams);
        if (written < 0 && errno != EINTR)
            die_errno("write stdin");
        if (written > 0)
            streams->feed += written;
    }
    if (streams->feed == streams->feed_end)
        return streams->is_live ? feed_live(streams) : end_feed(streams);
    if (streams->releases)
        payload_release(streams->feed_released, streams->feed);
    streams->feed_released = streams->feed;
}

/* The child's three descriptors and our two, for input and for output, are one terminal. */
static void open_terminal(struct streams *streams, int child_fd[3])
{
    terminal_open(&streams->fd[STREAM_STDOUT], &streams->terminal, interaction_terminal_size());
    streams->fd[STREAM_STDERR] = -1;
    streams->stdin_fd = fcntl(streams->fd[STREAM_STDOUT], F_DUPFD_CLOEXEC, 0);
    for (int i = 0; i < 3; i += 1)
        child_fd[i] = fcntl(streams->terminal, F_DUPFD_CLOEXEC, 0);
    if (streams->stdin_fd < 0 || child_fd[0] < 0 || child_fd[1] < 0 || child_fd[2] < 0)
        die_errno("fcntl");
}

/* Makes the stage's pipes or its terminal; the child's ends are the caller's to close. */
void streams_open(struct streams *streams, const struct stage *stage, int child_fd[3])
{
    *streams = (struct streams){.terminal = -1, .is_live = stage->is_live};
    if (stage->has_terminal)
        return open_terminal(streams, child_fd);
    open_pipe(&streams->stdin_fd, &child_fd[STDIN_FILENO], false);
    open_pipe(&streams->fd[STREAM_STDOUT], &child_fd[STDOUT_FILENO], true);
    open_pipe(&streams->fd[STREAM_STDERR], &child_fd[STDERR_FILENO], true);
}

/* Takes on the stage's caps and fills its stdin. */
void streams_begin(struct streams *streams, const struct stage *stage)
{
    streams->feed = stage->stdin_bytes;
    streams->feed_end = stage->stdin_bytes + stage->stdin_length;
    streams->feed_released = stage->stdin_bytes;
    streams->releases = stage->has_stdin;
    for (int i = 0; i < STREAMS; i += 1)
        streams->left[i] = stage->limit[LIMIT_OUTPUT_BYTES];
    feed(streams);
}

/* Whether there is something to do when stdin takes more. */
static bool has_feed(const struct streams *streams)
{
    if (!streams->is_live || streams->feed < streams->feed_end)
        return true;
    size_t said;
    interaction_pending(&said);
    return said > 0 || (interaction_is_over() && streams->terminal < 0);
}

/* Fills the places from WATCH_STDIN on. While fd 1 takes nothing, the program's output is left in its pipes. */
void streams_watch(const struct streams *streams, struct pollfd *watched)
{
    bool reads = output_has_room_for_chunk();
    watched[WATCH_STDIN] = (struct pollfd){.fd = streams->stdin_fd, .events = has_feed(streams) ? POLLOUT : 0};
    for (int i = 0; i < STREAMS; i += 1)
        watched[WATCH_STDOUT + i] = (struct pollfd){.fd = reads ? streams->fd[i] : -1, .events = POLLIN};
}

static void end_stream(struct streams *streams, enum stream stream)
{
    close(streams->fd[stream]);
    streams->fd[stream] = -1;
}

/* Takes one chunk; false when there is none now. One byte past the cap tells that the output was cut. */
static bool take_chunk(struct streams *streams, enum stream stream)
{
    static uint8_t chunk[CHUNK_BYTES];
    uint64_t left = streams->left[stream];
    ssize_t length = read(streams->fd[stream], chunk, left < CHUNK_BYTES ? (size_t)left + 1 : CHUNK_BYTES);
    if (length < 0 && errno == EINTR)
        return true;
    /* A terminal whose session has ended. */
    if (length < 0 && errno == EIO)
        length = 0;
    if (length < 0 && errno != EAGAIN)
        die_errno("read output");
    if (length < 0)
        return false;
    if (length == 0) {
        end_stream(streams, stream);
        return false;
    }
    streams->truncated[stream] = (uint64_t)length > left;
    size_t kept = streams->truncated[stream] ? (size_t)left : (size_t)length;
    streams->left[stream] -= kept;
    taken_bytes += kept;
    streams->moved_bytes += kept;
    if (kept > 0)
        frame_output(stream, chunk, kept);
    if (streams->truncated[stream])
        end_stream(streams, stream);
    return true;
}

void streams_handle(struct streams *streams, const struct pollfd *watched)
{
    if ((watched[WATCH_STDIN].revents & POLLOUT) != 0)
        feed(streams);
    else if (watched[WATCH_STDIN].revents != 0)
        leave(streams);
    for (int i = 0; i < STREAMS; i += 1)
        if (watched[WATCH_STDOUT + i].revents != 0 && output_has_room_for_chunk())
            take_chunk(streams, (enum stream)i);
}

/* Takes what is left in the pipes of a stage whose processes are all dead, and closes them. */
void streams_drain(struct streams *streams)
{
    for (int i = 0; i < STREAMS; i += 1) {
        while (streams->fd[i] >= 0) {
            if (!output_has_room_for_chunk())
                control_wait_for_reader();
            else if (!take_chunk(streams, (enum stream)i) && streams->fd[i] >= 0)
                end_stream(streams, (enum stream)i);
        }
    }
    if (streams->stdin_fd >= 0)
        end_feed(streams);
    if (streams->terminal >= 0)
        close(streams->terminal);
    streams->terminal = -1;
}

bool streams_over_limit(const struct streams *streams)
{
    return streams->truncated[STREAM_STDOUT] || streams->truncated[STREAM_STDERR];
}

/* The output that all stages so far were allowed. */
uint64_t streams_taken_bytes(void)
{
    return taken_bytes;
}
