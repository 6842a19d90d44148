#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Starts the process of a program's first stage before the program is there. An interpreter, or a compiler, that is given a
 * FIFO as its program's file gets everything ready and then waits for what it is to read. When the program comes, its files
 * are written, the one that is waited for takes the FIFO's name, so that whoever looks the file up later finds it, and the
 * same bytes go into the FIFO. One that is not so far yet opens the file instead, and does not notice.
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
static const struct file *awaited;

/*
 * Reads what is to be started: one stage, and an empty file whose name is the FIFO's. Mounts the work folders
 * if it is to; the privileges to do that again are kept.
 */
void ahead_start(struct program *program, const struct payload *payload, bool mounts)
{
    program_parse(program, payload);
    if (program->stage_count != 1 || program->file_count != 1 || program->files[0].length != 0)
        die("program: what is started ahead has one stage and one empty file");
    kind = program->stages[0].kind;
    if (mounts)
        folders_mount(program->work_bytes, program->work_inodes);
    int folder = open("/work", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0 || mkfifoat(folder, program->files[0].name, 0644) != 0)
        die_errno("make a FIFO");
    /* Open for both, it is opened without a reader, and never seems to have ended. */
    fifo = openat(folder, program->files[0].name, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    if (fifo < 0 || fcntl(fifo, F_SETPIPE_SZ, FIFO_BYTES) < FIFO_BYTES)
        die_errno("open a FIFO");
    close(folder);
    stage_prepare(false);
    stage_start_ahead(&program->stages[0]);
}

/* Writes the files of the program that was waited for. Its first one is what the FIFO stands for. */
void ahead_place(const struct program *program)
{
    if (program->own_file_count == 0 || program->files[0].length > FIFO_BYTES || program->stages[0].kind != kind ||
        (kind == STAGE_RUN && (program->test_count > 0 || program->stages[0].is_live)) || program->network)
        die("program: it is none that was waited for");
    files_write(program->files + 1, program->own_file_count - 1);
    awaited = &program->files[0];
    files_put_over(awaited);
}

/* Lets the process go on that waits for the program. Its bytes fit, for nothing was written before. */
void ahead_feed(void)
{
    if (write(fifo, awaited->content, awaited->length) != (ssize_t)awaited->length)
        die_errno("write to a FIFO");
    close(fifo);
    fifo = -1;
}

/* Ends what waits, for a program that it can't execute. Nothing of the user's has run yet. */
void ahead_give_up(void)
{
    stage_end_ahead();
    close(fifo);
    fifo = -1;
    places_open();
    places_clean();
}
