#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The stage's process from fork to execve: it takes on every bound of the program, then becomes the program. */

/* Where the socket for reports ends up: right behind the program's own descriptors. */
enum { REPORT_FD = 3 };

static const rlim_t STACK_BYTES = (rlim_t)64 << 20;
/* Far more than a program has unhandled at a time, and far less than machines grant a user. */
static const rlim_t QUEUED_SIGNALS = 1024;
static const uint64_t MICROSECONDS = 1000000;

/* Where commands are looked up when a stage's environment has no PATH. */
static const char DEFAULT_PATH[] = "/usr/local/bin:/usr/bin:/bin";

const char *const child_step_names[CHILD_STEPS] = {
    [STEP_PRIVILEGES] = "capset",
    [STEP_SESSION] = "setsid",
    [STEP_DESCRIPTORS] = "dup2",
    [STEP_TERMINAL] = "ioctl TIOCSCTTY",
    [STEP_LIMITS] = "setrlimit",
    [STEP_FOLDER] = "chdir /work",
    [STEP_LANDLOCK] = "landlock_restrict_self",
    [STEP_SECCOMP] = "seccomp",
    [STEP_EXECUTE] = "execve",
};

static int report_fd;

static _Noreturn void fail(enum child_step step, int error)
{
    report_send(report_fd, &(struct report){step, error}, -1);
    _exit(127);
}

/* Puts the pipes at 0, 1, 2 and the socket for reports at REPORT_FD, and closes the rest. */
static void place_descriptors(const int child_fd[3])
{
    /* Each pipe's end may be where another one goes, so all are first moved out of the way. */
    int high[REPORT_FD + 1];
    for (int i = 0; i <= REPORT_FD; i += 1) {
        high[i] = fcntl(i < REPORT_FD ? child_fd[i] : report_fd, F_DUPFD_CLOEXEC, REPORT_FD + 1);
        if (high[i] < 0)
            fail(STEP_DESCRIPTORS, errno);
    }
    for (int i = 0; i <= REPORT_FD; i += 1)
        if (dup3(high[i], i, i == REPORT_FD ? O_CLOEXEC : 0) < 0)
            fail(STEP_DESCRIPTORS, errno);
    report_fd = REPORT_FD;
    int error = close_from(REPORT_FD + 1);
    if (error != 0)
        fail(STEP_DESCRIPTORS, error);
}

/* Makes the program the first that the out-of-memory killer takes. The file is root's while a process is undumpable. */
static void volunteer_for_oom_killer(void)
{
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0) {
        /* Best effort: /proc may be read-only. */
        ssize_t ignored = write(fd, "1000", 4);
        (void)ignored;
        close(fd);
    }
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static void reset_signals(void)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    for (int number = 1; number <= SIGRTMAX; number += 1)
        sigaction(number, &usual, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * Never above the hard limit that the sandbox was started with. To lower a limit needs no privilege on Linux; gVisor
 * refuses it (EPERM) for what it does not have, message queues and a queue of signals among them.
 */
static void limit(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit inherited;
    if (getrlimit(resource, &inherited) != 0)
        fail(STEP_LIMITS, errno);
    struct rlimit bounds = {
        .rlim_cur = soft < inherited.rlim_max ? soft : inherited.rlim_max,
        .rlim_max = hard < inherited.rlim_max ? hard : inherited.rlim_max,
    };
    if (setrlimit(resource, &bounds) != 0 &&
        (errno != EPERM || (resource != RLIMIT_MSGQUEUE && resource != RLIMIT_SIGPENDING)))
        fail(STEP_LIMITS, errno);
}

/*
 * The kernel counts queued signals by user, which the runner is too, and a signal that finds the queue full is delivered
 * as if it came from outside (control.c): the program's part never fills the runner's.
 */
static void limit_queued_signals(void)
{
    struct rlimit inherited;
    if (getrlimit(RLIMIT_SIGPENDING, &inherited) != 0)
        fail(STEP_LIMITS, errno);
    rlim_t half = inherited.rlim_cur / 2;
    rlim_t most = half < QUEUED_SIGNALS ? half : QUEUED_SIGNALS;
    limit(RLIMIT_SIGPENDING, most, most);
}

/* A second more than the stage's own limit, which counts all processes and is more exact. */
static rlim_t cpu_seconds(const struct stage *stage, uint64_t used_us)
{
    return (stage->limit[LIMIT_CPU_US] + used_us + MICROSECONDS - 1) / MICROSECONDS + 1;
}

static void limit_resources(const struct stage *stage, bool is_ahead)
{
    /* What waits for its program is told the limit with it. */
    if (!is_ahead)
        limit(RLIMIT_CPU, cpu_seconds(stage, 0), cpu_seconds(stage, 0) + 1);
    limit(RLIMIT_CORE, 0, 0);
    limit(RLIMIT_MEMLOCK, 0, 0);
    limit(RLIMIT_MSGQUEUE, 0, 0);
    limit_queued_signals();
    limit(RLIMIT_STACK, STACK_BYTES, STACK_BYTES);
    limit(RLIMIT_NOFILE, stage->limit[LIMIT_OPEN_FILES], stage->limit[LIMIT_OPEN_FILES]);
    limit(RLIMIT_FSIZE, stage->limit[LIMIT_FILE_BYTES], stage->limit[LIMIT_FILE_BYTES]);
    if (stage->has_limit[LIMIT_PROCESSES])
        /* One more, for the runner has the same user. */
        limit(RLIMIT_NPROC, stage->limit[LIMIT_PROCESSES] + 1, stage->limit[LIMIT_PROCESSES] + 1);
}

static const char *find_path(char *const *variables)
{
    for (; *variables != NULL; variables += 1)
        if (strncmp(*variables, "PATH=", 5) == 0)
            return *variables + 5;
    return DEFAULT_PATH;
}

/* Executes by the stage's own PATH; returns the errno of the failure that says most. */
static int execute(const struct stage *stage)
{
    const char *command = stage->arguments[0];
    if (strchr(command, '/') != NULL || command[0] == '\0') {
        execve(command, stage->arguments, stage->variables);
        return errno;
    }
    int error = ENOENT;
    for (const char *folder = find_path(stage->variables);;) {
        size_t length = strcspn(folder, ":");
        char path[PATH_MAX];
        int written = snprintf(path, sizeof path, "%.*s%s%s", (int)length, folder, length > 0 ? "/" : "", command);
        if (written > 0 && (size_t)written < sizeof path) {
            execve(path, stage->arguments, stage->variables);
            if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
                return errno;
            if (errno == EACCES)
                error = EACCES;
        }
        if (folder[length] == '\0')
            return error;
        folder += length + 1;
    }
}

/* Puts the filter on, and hands its listener over where forks are to be asked for. */
static void filter_calls(bool asks_for_forks)
{
    int listener = -1;
    int error = seccomp_apply(asks_for_forks ? &listener : NULL);
    if (error != 0)
        fail(STEP_SECCOMP, error);
    if (listener < 0)
        return;
    if (!report_send(report_fd, &(struct report){STEP_SECCOMP, 0}, listener))
        fail(STEP_SECCOMP, errno);
    close(listener);
}

/* Becomes the program, or tells through `means->report` which step failed with which errno. */
_Noreturn void child_main(const struct stage *stage, const struct child_means *means)
{
    report_fd = means->report;
    volunteer_for_oom_killer();
    if (means->is_ahead && !privileges_drop())
        fail(STEP_PRIVILEGES, errno);
    if (setsid() < 0)
        fail(STEP_SESSION, errno);
    if (chdir("/work") != 0)
        fail(STEP_FOLDER, errno);
    int error = landlock_apply(means->landlock);
    if (error != 0)
        fail(STEP_LANDLOCK, error);
    place_descriptors(means->standard);
    if (means->has_terminal && ioctl(STDIN_FILENO, TIOCSCTTY, 0) != 0)
        fail(STEP_TERMINAL, errno);
    umask(022);
    limit_resources(stage, means->is_ahead);
    reset_signals();
    filter_calls(means->asks_for_forks);
    fail(STEP_EXECUTE, execute(stage));
}

/* What child_is_ending reads, so that it need not be looked up then; -1 where there is none. */
int child_open_state(pid_t process)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/stat", (int)process);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/*
 * Whether a process that has not been reaped yet will run no more, though it may not be a zombie so far: it is exiting, or
 * it was sent SIGKILL. Then it may still take what it was waiting for, but does nothing with it. Fields 9 and 31 of
 * /proc/PID/stat (proc_pid_stat(5)); bit 2 of the flags is PF_EXITING. What sends a fatal signal to a process makes that a
 * SIGKILL to each of its threads (complete_signal in Linux's kernel/signal.c).
 */
bool child_is_ending(int state)
{
    static const unsigned long EXITING = 1 << 2, KILLED = 1ul << (SIGKILL - 1);
    char text[1024];
    ssize_t length = pread(state, text, sizeof text - 1, 0);
    if (length <= 0)
        return true;
    text[length] = '\0';
    /* The second field is the process's name in parentheses, and may have anything in it. */
    char *next = strrchr(text, ')');
    unsigned long flags = 0, pending = 0;
    for (int field = 3; next != NULL && field <= 31; field += 1) {
        next = strchr(next + 1, ' ');
        if (next != NULL && field == 9)
            flags = strtoul(next, NULL, 10);
        if (next != NULL && field == 31)
            pending = strtoul(next, NULL, 10);
    }
    return (flags & EXITING) != 0 || (pending & KILLED) != 0;
}

/*
 * Lowers the limits of a process that was started ahead to those of its program, which it has not read yet; the CPU time
 * that it has used does not count. False when it is gone, or one of them would have to be raised.
 */
bool child_limit(pid_t process, const struct stage *stage, uint64_t used_us)
{
    rlim_t seconds = cpu_seconds(stage, used_us);
    rlim_t files = stage->limit[LIMIT_OPEN_FILES];
    rlim_t size = stage->limit[LIMIT_FILE_BYTES];
    rlim_t processes = stage->limit[LIMIT_PROCESSES] + 1;
    if (stage->has_limit[LIMIT_PROCESSES] &&
        prlimit(process, RLIMIT_NPROC, &(struct rlimit){processes, processes}, NULL) != 0)
        return false;
    return prlimit(process, RLIMIT_CPU, &(struct rlimit){seconds, seconds + 1}, NULL) == 0 &&
           prlimit(process, RLIMIT_NOFILE, &(struct rlimit){files, files}, NULL) == 0 &&
           prlimit(process, RLIMIT_FSIZE, &(struct rlimit){size, size}, NULL) == 0;
}
