/*
 * runner: the first process of every sandbox. It takes one program, executes its one or two stages (compile, run), or the
 * compile stage and then tests in place of the run, each under its limits, tells what happened on fd 1, and exits. Theory of
 * operation:
 *
 * PROCESSES
 *   runner   process 1 of a process id namespace of its own; one thread. Therefore every orphan becomes its child,
 *            kill(-1) means "all of the program", and its own end takes everything with it. Signals from inside cannot
 *            end it.
 *   child    one fork for each stage and test; takes on the stage's bounds (child.c), then becomes the program by execve. It
 *            leads a session of its own. Its end, or a limit, is the end of the stage.
 *   the rest whatever the program starts. It shares user id and namespaces with the runner and is believed in nothing.
 *            At a stage's end all of it is killed and reaped before the stage's last frame is written.
 *
 * WHAT IS TRUSTED
 *   Those who start the runner: the command line, the order of a program's records and its limits. Their bytes are
 *   checked all the same (program.c). Files, arguments, environment, stdin and the program's every act are the user's.
 *   The runner's own environment reaches no program.
 *   The runner reads nothing that a program wrote while anything of the program lives, but its two output pipes, and asks
 *   the kernel, never the program, for figures (cgroup.c). Between tests and for artifacts, when everything is dead, it
 *   walks the folders that programs write to: by descriptors opened before, without following a link (entries.c).
 *   Of what a test should print the runner knows nothing.
 *   Protection from the program: the runner is undumpable (no ptrace, no /proc/1/mem or fd), a seccomp filter refuses
 *   what dumpability does not cover (signals, prlimit and scheduling of process 1), and the only signal that counts is a
 *   SIGTERM from outside.
 *
 * DESCRIPTORS OF THE RUNNER
 *   0         the program's bytes (input.c), then what is said to it while it runs (interaction.c) or nothing; with
 *             --exit-on-hangup, and for what waits for its program, its end is the order to end; in a container, whose
 *             pipe does not end with who writes to it, so is its silence while something waits (input.c). With
 *             --program-in-environment (environment.c) its program only where what comes from there is to be started
 *             ahead.
 *   1         frames (frames.c) through a bounded buffer (output.c), without blocking; its reader's end is the same
 *             order.
 *   2         the last words of a runner that fails (failure.c). A program's stderr never comes here.
 *   figures   as named on the command line or found (cgroup.c, cgroup_search.c); open to the end. A container's are
 *             read-only: what the cgroup then does not limit is held by looking at it (meter.c). One of them is no figure,
 *             but the weight that is raised when the program comes.
 *   signals   SIGCHLD and SIGTERM (control.c); open to the end.
 *   Landlock  the rules (landlock.c); open to the end.
 *   places    with tests, artifacts, what is to be kept, or where it took the place of what waited: the folders that
 *             programs write to (places.c); open to the end.
 *   snapshot  with tests: memory with a copy of the work folder (snapshot.c); open to the end.
 *   All others are closed at the start. All above 2 are close-on-exec, and the child closes them before it executes.
 *
 * PIPES OF A STAGE (made before the fork, but for the last)
 *   stdin     written by the runner, which closes it when all is fed, nobody reads, or the stage has ended.
 *   stdout,   read by the runner, which closes them at their end, at their cap, or when they are empty and every
 *   stderr    process is dead. Their end is never waited for: a daemon may hold them open.
 *   reports   a socket, not a pipe (report.c); close-on-exec, so that its end means that execve succeeded. Brings the
 *             step and the errno of a child that did not get so far, and the descriptor of the next line.
 *   forks     where processes are limited by RLIMIT_NPROC: through it the kernel asks for each fork (forks.c). Made by
 *             the child with its filter, answered by the runner until the stage has ended.
 *   The program's ends are its 0, 1 and 2; the runner closes its copies after the fork.
 *
 * FLOW
 *   bound privileges -> options -> "ready" -> read and check the program -> mount work folders, or count the inodes of
 *   those that are there -> give up privileges -> write files
 *   -> each stage: limit memory, fork, "started", watch, kill all, reap all, drain, "ended" -> "finished".
 *   What is to be started ahead may come before the program: then the work folders are mounted, where the runner does
 *   that, and its first stage's process is forked first, and it waits until there is a program: for its file, or for
 *   another one that it reads before (ahead.c).
 *   A program that it can't execute says so in its first word: then what waits is killed and reaped and the folders are
 *   emptied before anything of the program is looked at.
 *   With tests, once the compile stage ended well: copy the work folder -> each test: empty every place, remove System V
 *   objects, restore the work folder, write the test's own files, and then as a stage.
 *   Where what the compile stage leaves is to be kept: before anything else of the program begins, "kept" with pieces of
 *   it (kept.c). A program that is sent with it has its files, and no compile stage.
 *   With artifacts, after the run stage: find what the globs name, and for each file "artifact" and its "content"s.
 *   Watching is one ppoll over all of the above. Figures and times are compared with the limits when the last look said
 *   so, by what could run out next, and when the main process has ended.
 *   When fd 1 takes nothing, the program's output stays in its pipes and the program waits; its limits go on.
 *
 * WHAT SURVIVES
 *   A stage: the files in /work, /tmp and /dev/shm, and System V objects; no process and no open pipe.
 *   A test: nothing. The next one finds what the compile stage left in /work, and every other place empty.
 *   The runner: nothing; its namespaces and mounts end with it.
 *
 * FAULTS
 *   What a program does wrong is an outcome in its "ended" frame. What we or the input do wrong ends the runner by
 *   die(), with a "failed" frame and exit status EXIT_FAILED.
 */

#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

static void require_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd += 1)
        if (fcntl(fd, F_GETFD) < 0)
            _exit(EXIT_FAILED);
}

int main(int count, char **arguments)
{
    static struct program program;
    struct payload payload;
    struct options options;

    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        die_errno("prctl PR_SET_DUMPABLE");
    require_standard_descriptors();
    privileges_bound();
    if (getpid() != 1)
        die("it kills every process that it can see, so it has to be process 1 of a process id namespace");
    options_parse(&options, arguments + (count > 0));
    close_all_but(options.figure_fd, FIGURE_FILES);
    control_open();
    cgroup_use(&options);

    frame_ready(toolchain_version());
    output_flush();
    if (options.program_in_environment)
        environment_read(&payload);
    else
        input_read(&payload, options.exit_on_hangup);
    bool is_ahead = payload.kind == PAYLOAD_AHEAD && (options.mounts || options.program_in_environment);
    if (is_ahead) {
        ahead_start(&program, &payload, options.mounts);
        input_await(&payload, options.program_in_environment);
    }
    if (payload.kind == PAYLOAD_AHEAD)
        die("program: it is none, but what is to be started ahead of one");
    if (payload.kind == PAYLOAD_ANEW && !is_ahead)
        die("program: there is nothing whose place it could take");
    cgroup_raise_weight();
    bool is_awaited = is_ahead && payload.kind == PAYLOAD_PROGRAM;
    if (is_ahead && !is_awaited)
        ahead_give_up();
    control_program_is_read(options.exit_on_hangup);
    program_parse(&program, &payload);

    const struct stage *last = &program.stages[program.stage_count - 1];
    if (last->is_live)
        interaction_begin(last);
    if (options.mounts && last->has_terminal)
        terminal_mount();
    if (is_ahead && options.mounts)
        folders_resize(program.work_bytes, program.work_inodes);
    else if (options.mounts)
        folders_mount(program.work_bytes, program.work_inodes);
    else
        folders_count_inodes(program.work_inodes);
    if (!privileges_drop())
        die_errno("give up privileges");
    course_prepare(&program);
    if (is_awaited) {
        ahead_place(&program);
    } else {
        files_write(program.files, program.own_file_count);
        payload_release(payload.bytes, program.files_end);
    }
    stage_prepare(program.network);

    course_run(&program);
    frame_finished();
    while (!output_flush())
        control_wait_for_reader();
    return EXIT_FINISHED;
}
