#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Starts the process of a program's first stage before the program is there. An interpreter, or a compiler, that is given a
 * FIFO as its program's file gets everything ready and then waits for what it is to read. When the program comes, its files
 * are written, the one that is waited for takes the FIFO's name, so that whoever looks the file up later finds it, and the
 * same bytes go into the FIFO. One that is not so far yet opens the file instead, and does not notice.
 *
 * A shell would read a FIFO byte by byte, and count the time. It waits for another file instead, one that it reads before its
 * program: its prelude. When the program comes, the FIFO's name is gone, and the prelude goes into it, which removes the
 * traces. One that has not opened it by then is ended, and another is started with the program.
 *
 * A program that what waits can't execute takes its place: all of that is ended, every folder is as empty as it was before,
 * and the program is started as if nothing had waited. Which of the two it is the program's first word says, for whoever sends
 * it knows what waits; one that claims to be waited for and can't be is an error.
 *
 * What waits has read nothing of the user's, so that the runner may keep until then what it needs to give the work folders
 * the program's sizes.
 */

/* What a pipe holds (pipe(7)), and so the longest file that is waited for: it goes in whole, whoever reads it when. */
enum { FIFO_BYTES = 64 << 10 };

static int fifo = -1;
static enum stage_kind kind;
/* What goes into the FIFO: the file that is waited for, whose name is the FIFO's, or the prelude. */
static const uint8_t *fed;
static size_t fed_length;
static char *fifo_name;
static uint8_t prelude[256];
static size_t prelude_length;

static void make_fifo(const char *name)
{
    int folder = files_folder();
    if (mkfifoat(folder, name, 0644) != 0)
        die_errno("make a FIFO");
    /* Open for both, it is opened without a reader, and never seems to have ended. */
    fifo = openat(folder, name, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fifo >= 0 && prelude_length > 0) {
        /* Whether another reader has come can be told only without one here. */
        int both = fifo;
        fifo = openat(folder, name, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
        close(both);
    }
    if (fifo < 0 || fcntl(fifo, F_SETPIPE_SZ, FIFO_BYTES) < FIFO_BYTES)
        die_errno("open a FIFO");
    close(folder);
    fifo_name = strdup(name);
    if (fifo_name == NULL)
        die_errno("strdup");
}

/*
 * Reads what is to be started: one stage, and one file whose name is the FIFO's. An empty one is the program's first file, and
 * what is in another is the prelude. Mounts the work folders if it is to; the privileges to do that again are kept.
 */
void ahead_start(struct program *program, const struct payload *payload, bool mounts)
{
    program_parse(program, payload);
    if (program->stage_count != 1 || program->file_count != 1 || program->files[0].length > sizeof prelude)
        die("program: what is started ahead has one stage and one file, which is empty or a prelude of at most %zu bytes",
            sizeof prelude);
    kind = program->stages[0].kind;
    prelude_length = program->files[0].length;
    memcpy(prelude, program->files[0].content, prelude_length);
    if (mounts)
        folders_mount(program->work_bytes, program->work_inodes);
    make_fifo(program->files[0].name);
    stage_prepare(false);
    stage_start_ahead(&program->stages[0]);
    payload_make_ready();
}

/* Whether what waits has opened the FIFO: one that is written and has no reader has an error (pipe_poll in fs/pipe.c). */
static bool is_read(void)
{
    struct pollfd watched = {.fd = fifo};
    if (poll(&watched, 1, 0) < 0)
        die_errno("poll");
    return (watched.revents & POLLERR) == 0;
}

static void remove_fifo(void)
{
    int folder = files_folder();
    if (unlinkat(folder, fifo_name, 0) != 0)
        die_errno("remove a FIFO");
    close(folder);
}

/* Ends what waits, which has seen nothing of the program. */
static void end_waiting(void)
{
    stage_end_ahead();
    close(fifo);
    fifo = -1;
}

/* Writes the files of the program that was waited for. Without a prelude its first one is what the FIFO stands for. */
void ahead_place(const struct program *program)
{
    if (program->own_file_count == 0 || program->stages[0].kind != kind ||
        (prelude_length == 0 && program->files[0].length > FIFO_BYTES) ||
        (kind == STAGE_RUN && (program->test_count > 0 || program->stages[0].is_live)) || program->network)
        die("program: it is none that was waited for");
    if (prelude_length > 0) {
        if (!is_read())
            end_waiting();
        remove_fifo();
        files_write(program->files, program->own_file_count);
        fed = prelude;
        fed_length = prelude_length;
        return;
    }
    files_write(program->files + 1, program->own_file_count - 1);
    files_put_over(&program->files[0]);
    fed = program->files[0].content;
    fed_length = program->files[0].length;
}

/* Lets the process go on that waits for the program, unless it was killed. The bytes fit, for nothing was written before. */
void ahead_feed(void)
{
    if (write(fifo, fed, fed_length) != (ssize_t)fed_length && errno != EPIPE)
        die_errno("write to a FIFO");
    close(fifo);
    fifo = -1;
}

/* Ends what waits, for a program that it can't execute. Nothing of the user's has run yet. */
void ahead_give_up(void)
{
    end_waiting();
    places_open();
    places_clean();
}
