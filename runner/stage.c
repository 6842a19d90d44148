#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* One stage of a program, from before its fork until nothing of it is alive and all that it did is told. */

enum limit { LIMIT_NONE, WALL, CPU, MEMORY, PROCESSES, OUTPUT, FILE_SIZE };

static const char *const limit_names[] = {
    [LIMIT_NONE] = NULL, [WALL] = "wall",     [CPU] = "cpu",          [MEMORY] = "memory",
    [PROCESSES] = "processes", [OUTPUT] = "output", [FILE_SIZE] = "file_size",
};

/* The longest time between two looks at the cgroup's figures, and the shortest when CPU time runs out. */
static const uint64_t LOOK_AT_MOST_US = 50000;
static const uint64_t LOOK_AT_LEAST_US = 1000;

/* How many orphans are reaped between two looks at the limits. */
enum { REAP_BATCH = 256 };

struct usage {
    struct figure cpu_us;
    struct figure memory_peak_bytes;
    struct figure oom_kills;
    struct figure refused_forks;
};

struct running {
    const struct stage *stage;
    struct streams streams;
    int failure_fd;
    pid_t process;
    bool process_ended;
    int status;
    uint64_t started_us;
    uint64_t ended_us;
    enum limit limit;
    struct usage before;
    bool memory_peak_is_own;
    bool memory_is_limited;
};

static int landlock;
static uint64_t processors;

/* Makes ready what all stages share. */
void stage_prepare(void)
{
    cpu_set_t allowed;
    processors = 1;
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 0)
        processors = (uint64_t)CPU_COUNT(&allowed);
    seccomp_build();
    landlock = landlock_rules();
}

static struct usage look_at_usage(void)
{
    return (struct usage){
        .cpu_us = cgroup_cpu_us(),
        .memory_peak_bytes = cgroup_memory_peak_bytes(),
        .oom_kills = cgroup_oom_kills(),
        .refused_forks = cgroup_refused_forks(),
    };
}

/* The first cause wins. */
static void strike(struct running *running, enum limit limit)
{
    if (running->limit == LIMIT_NONE)
        running->limit = limit;
}

static struct figure cpu_used_us(const struct running *running)
{
    struct figure used = cgroup_cpu_us();
    used.known = used.known && running->before.cpu_us.known && used.value >= running->before.cpu_us.value;
    used.value = used.known ? used.value - running->before.cpu_us.value : 0;
    return used;
}

static void prepare_memory(struct running *running)
{
    uint64_t wanted = running->stage->limit[LIMIT_MEMORY_BYTES];
    /* A limit below what is held already makes cgroup v2 kill at once, and only the runner is there to be killed. */
    running->memory_is_limited = folders_used_bytes() <= wanted && cgroup_limit_memory(wanted);
    running->memory_peak_is_own = cgroup_reset_memory_peak();
    running->before = look_at_usage();
}

static void start(struct running *running)
{
    int child_fd[3];
    int failure[2];
    streams_open(&running->streams, running->stage, child_fd);
    if (pipe2(failure, O_CLOEXEC | O_NONBLOCK) != 0)
        die_errno("pipe2");
    running->started_us = clock_us();
    running->process = fork();
    if (running->process < 0)
        die_errno("fork");
    if (running->process == 0)
        child_main(running->stage, child_fd, failure[1], landlock);
    for (int i = 0; i < 3; i += 1)
        close(child_fd[i]);
    close(failure[1]);
    running->failure_fd = failure[0];
    frame_started(running->stage->kind);
    output_flush();
}

static void reap(struct running *running)
{
    int status;
    for (int i = 0; i < REAP_BATCH && !running->process_ended; i += 1) {
        pid_t ended = waitpid(-1, &status, WNOHANG);
        if (ended <= 0)
            return;
        if (ended == running->process) {
            running->process_ended = true;
            running->status = status;
            running->ended_us = clock_us();
        }
    }
}

/* Compares the figures with the stage's limits; returns how long, in microseconds, the next look may wait. */
static uint64_t check_limits(struct running *running)
{
    const uint64_t *limits = running->stage->limit;
    uint64_t elapsed = (running->process_ended ? running->ended_us : clock_us()) - running->started_us;
    struct figure cpu = cpu_used_us(running);
    uint64_t wait = LOOK_AT_MOST_US;

    if (figure_moved(running->before.oom_kills, cgroup_oom_kills()))
        strike(running, MEMORY);
    if (cpu.known && cpu.value >= limits[LIMIT_CPU_US])
        strike(running, CPU);
    if (elapsed >= limits[LIMIT_WALL_US])
        strike(running, WALL);
    if (running->limit != LIMIT_NONE)
        return 0;

    if (cpu.known) {
        uint64_t soonest = (limits[LIMIT_CPU_US] - cpu.value) / processors;
        if (soonest < wait)
            wait = soonest > LOOK_AT_LEAST_US ? soonest : LOOK_AT_LEAST_US;
    }
    uint64_t wall_left = limits[LIMIT_WALL_US] - elapsed;
    return wall_left < wait ? wall_left : wait;
}

static void watch(struct running *running)
{
    for (;;) {
        struct pollfd watched[WATCH_ALL];
        uint64_t wait = check_limits(running);
        if (running->process_ended || running->limit != LIMIT_NONE)
            return;
        struct timespec timeout = {.tv_sec = 0, .tv_nsec = (long)(wait * 1000)};
        control_watch(watched);
        streams_watch(&running->streams, watched);
        if (ppoll(watched, WATCH_ALL, &timeout, NULL) < 0 && errno != EINTR)
            die_errno("ppoll");
        control_handle(watched);
        streams_handle(&running->streams, watched);
        if (streams_over_limit(&running->streams))
            strike(running, OUTPUT);
        reap(running);
        output_flush();
    }
}

/* What execve said, or NULL when the program began. Any other step that failed is the runner's failure. */
static const char *read_failure(int failure_fd)
{
    struct child_failure failure;
    ssize_t length = read(failure_fd, &failure, sizeof failure);
    close(failure_fd);
    if (length != (ssize_t)sizeof failure)
        return NULL;
    if (failure.step == STEP_EXECUTE)
        return error_name(failure.error);
    die("%s: %s", child_step_names[failure.step], error_name(failure.error));
}

/* Ends whatever is left of the stage, takes the rest of its output, and names the limit that ended it. */
static void end(struct running *running)
{
    if (running->process_ended && WIFSIGNALED(running->status)) {
        if (WTERMSIG(running->status) == SIGXFSZ)
            strike(running, FILE_SIZE);
        if (WTERMSIG(running->status) == SIGXCPU)
            strike(running, CPU);
    }
    kill_and_reap_all(running->process, &running->status);
    if (!running->process_ended)
        running->ended_us = clock_us();
    streams_drain(&running->streams);
    if (streams_over_limit(&running->streams))
        strike(running, OUTPUT);
}

static void name_memory_or_processes(struct running *running, struct usage after)
{
    if (running->limit != LIMIT_NONE && running->limit != WALL)
        return;
    struct figure peak = after.memory_peak_bytes;
    bool peak_counts = running->memory_peak_is_own || figure_moved(running->before.memory_peak_bytes, peak);
    if (figure_moved(running->before.oom_kills, after.oom_kills))
        running->limit = MEMORY;
    else if (figure_moved(running->before.refused_forks, after.refused_forks))
        running->limit = PROCESSES;
    else if (!running->memory_is_limited && peak.known && peak_counts &&
             peak.value > running->stage->limit[LIMIT_MEMORY_BYTES])
        strike(running, MEMORY);
}

/* Executes a stage; true when it ended well, so that the next one may begin. */
bool stage_execute(const struct stage *stage)
{
    struct running running = {.stage = stage};
    prepare_memory(&running);
    start(&running);
    watch(&running);
    end(&running);
    struct usage after = look_at_usage();
    name_memory_or_processes(&running, after);
    struct outcome outcome = {
        .stage = stage->kind,
        .error = read_failure(running.failure_fd),
        .status = running.status,
        .limit = limit_names[running.limit],
        .wall_us = running.ended_us - running.started_us,
        .cpu_us = cpu_used_us(&running),
        .memory_bytes = after.memory_peak_bytes,
    };
    for (int i = 0; i < STREAMS; i += 1)
        outcome.truncated[i] = running.streams.truncated[i];
    frame_ended(&outcome);
    return outcome.error == NULL && WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0 &&
           running.limit == LIMIT_NONE;
}
