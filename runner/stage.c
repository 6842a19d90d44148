#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* One stage of a program, from before its fork until nothing of it is alive and all that it did is told. */

/*
 * In a stage's first 20 ms its frames wait for others, 2 ms at most: those of a short stage come in one piece, so that who
 * reads them is woken once. What somebody talks to is told at once.
 */
enum { YOUNG_US = 20000, HOLD_US = 2000 };

/* How many orphans are reaped between two looks at the limits. */
enum { REAP_BATCH = 256 };

enum { WATCH_REPORT = WATCH_STREAMS, WATCH_FORKS, WATCH_ALL };

struct running {
    const struct stage *stage;
    struct meter meter;
    struct streams streams;
    struct forks forks;
    int report_fd; /* -1 once the program began */
    struct report report;
    pid_t process;
    bool process_ended;
    struct ending ending;
    uint64_t ended_us;
    uint64_t held_since_us; /* 0 when no frame waits for others */
};

static void end(struct running *running);

static int landlock = -1;
static bool prepared;

/* What was started ahead, until a stage takes it over. */
static struct running ahead;
static int ahead_state = -1;

/* Makes ready what all stages share; with `network`, filters that allow sockets of the Internet. */
void stage_prepare(bool network)
{
    if (prepared && network)
        die("program: it may use the network, and comes after filters that refuse it");
    if (prepared)
        return;
    seccomp_build(network);
    landlock = landlock_rules();
    prepared = true;
}

static void start(struct running *running, bool is_ahead)
{
    const struct stage *stage = running->stage;
    struct child_means means = {
        .landlock = landlock,
        .asks_for_forks = forks_can_be_asked_for(stage),
        .is_ahead = is_ahead,
    };
    running->forks = (struct forks){.listener = -1, .most = stage->limit[LIMIT_PROCESSES]};
    means.has_terminal = stage->has_terminal;
    streams_open(&running->streams, stage, means.standard);
    if (!is_ahead)
        streams_begin(&running->streams, stage);
    report_open(&running->report_fd, &means.report);
    running->process = fork();
    if (running->process < 0)
        die_errno("fork");
    if (running->process == 0)
        child_main(stage, &means);
    for (int i = 0; i < 3; i += 1)
        close(means.standard[i]);
    close(means.report);
    if (interaction_is_active())
        interaction_attach(running->process, stage->has_terminal ? running->streams.fd[STREAM_STDOUT] : -1);
}

/* Starts a stage's process before its program, which it waits for where it reads it (ahead.c). */
void stage_start_ahead(const struct stage *stage)
{
    ahead.stage = stage;
    start(&ahead, true);
    ahead_state = child_open_state(ahead.process);
}

/* Takes what the child tells before it becomes the program, which closes its end of the socket. */
static void take_reports(struct running *running)
{
    struct report report;
    int descriptor;
    ssize_t received = -1;
    while (running->report_fd >= 0 && (received = report_receive(running->report_fd, &report, &descriptor)) > 0) {
        if (report.error != 0)
            running->report = report;
        if (descriptor >= 0)
            running->forks.listener = descriptor;
    }
    if (received == 0) {
        close(running->report_fd);
        running->report_fd = -1;
    }
}

/* Fills WATCH_AHEAD places: what waits for its program starts threads and processes until then, and asks for them. */
void stage_watch_ahead(struct pollfd *watched)
{
    bool waits = ahead.process != 0;
    watched[0] = (struct pollfd){.fd = waits ? ahead.report_fd : -1, .events = POLLIN};
    watched[1] = (struct pollfd){.fd = waits ? ahead.forks.listener : -1, .events = POLLIN};
}

void stage_handle_ahead(const struct pollfd *watched)
{
    if (watched[1].revents != 0)
        forks_handle(&ahead.forks, watched[1].revents);
    if (watched[0].revents != 0)
        take_reports(&ahead);
}

/* Until it has become what waits, the process sets its limits itself, and would be in its own way with lower ones. */
static void await_ahead(void)
{
    while (ahead.report_fd >= 0) {
        struct pollfd watched[WATCH_AHEAD];
        stage_watch_ahead(watched);
        if (poll(watched, WATCH_AHEAD, -1) < 0 && errno != EINTR)
            die_errno("poll");
        stage_handle_ahead(watched);
    }
}

/* Makes what was started ahead the stage's; false when there is nothing, or no more. Then nothing of it is left. */
static bool take_over(struct running *running)
{
    if (ahead.process == 0)
        return false;
    await_ahead();
    struct figure used = cgroup_cpu_us();
    bool waits = waitpid(ahead.process, NULL, WNOHANG) == 0 && !child_is_ending(ahead_state) &&
                 child_limit(ahead.process, running->stage, used.known ? used.value : 0);
    running->process = ahead.process;
    running->streams = ahead.streams;
    running->forks = ahead.forks;
    running->forks.most = running->stage->limit[LIMIT_PROCESSES];
    running->report_fd = ahead.report_fd;
    ahead.process = 0;
    close(ahead_state);
    if (waits) {
        running->report = ahead.report;
        streams_begin(&running->streams, running->stage);
        return true;
    }
    struct running given_up = *running;
    end(&given_up);
    return false;
}

/* Ends what was started ahead without telling of it: nothing of it is left. */
void stage_end_ahead(void)
{
    struct running given_up = ahead;
    ahead.process = 0;
    close(ahead_state);
    end(&given_up);
}

static void reap_some(struct running *running)
{
    for (int i = 0; i < REAP_BATCH && !running->process_ended; i += 1) {
        pid_t ended = reap(WNOHANG, running->process, &running->ending);
        if (ended <= 0)
            return;
        if (ended == running->process) {
            running->process_ended = true;
            running->ended_us = clock_us();
        }
    }
}

/* How long, in microseconds, the frames in the buffer may wait for others; 0 when they are to go out now. */
static uint64_t hold(struct running *running)
{
    uint64_t now_us = clock_us();
    bool is_young = !running->stage->is_live && now_us < running->meter.started_us + YOUNG_US;
    if (!is_young || !output_is_pending()) {
        running->held_since_us = 0;
        return 0;
    }
    if (running->held_since_us == 0)
        running->held_since_us = now_us;
    uint64_t held_us = now_us - running->held_since_us;
    return held_us < HOLD_US ? HOLD_US - held_us : 0;
}

static void watch(struct running *running)
{
    struct meter *meter = &running->meter;
    for (;;) {
        struct pollfd watched[WATCH_ALL];
        uint64_t wait = meter_check(meter);
        if (meter->limit != LIMIT_NONE)
            return;
        uint64_t held_for = hold(running);
        if (held_for == 0)
            output_flush();
        else if (held_for < wait)
            wait = held_for;
        struct timespec timeout = {.tv_sec = 0, .tv_nsec = (long)(wait * 1000)};
        control_watch(watched);
        if (held_for > 0)
            watched[WATCH_OUTPUT].events = 0;
        streams_watch(&running->streams, watched);
        watched[WATCH_REPORT] = (struct pollfd){.fd = running->report_fd, .events = POLLIN};
        watched[WATCH_FORKS] = (struct pollfd){.fd = running->forks.listener, .events = POLLIN};
        if (ppoll(watched, WATCH_ALL, &timeout, NULL) < 0 && errno != EINTR)
            die_errno("ppoll");
        control_handle(watched);
        streams_handle(&running->streams, watched);
        if (watched[WATCH_FORKS].revents != 0)
            forks_handle(&running->forks, watched[WATCH_FORKS].revents);
        if (watched[WATCH_REPORT].revents != 0)
            take_reports(running);
        if (streams_over_limit(&running->streams))
            meter_strike(meter, OUTPUT);
        meter_see_moved(meter, running->streams.moved_bytes);
        interaction_tell();
        reap_some(running);
        if (running->process_ended) {
            meter_main_ended(meter, running->ended_us);
            return;
        }
    }
}

/* What execve said, or NULL when the program began. Any other step that failed is the runner's failure. */
static const char *failure_of(const struct running *running)
{
    if (running->report.error == 0)
        return NULL;
    const char *error = error_name(running->report.error);
    if (running->report.step == STEP_EXECUTE)
        return error;
    die("%s: %s", child_step_names[running->report.step], error);
}

/* Ends whatever is left of the stage, takes the rest of its output and reports, and names the limit that ended it. */
static void end(struct running *running)
{
    interaction_attach(0, -1);
    if (running->process_ended && WIFSIGNALED(running->ending.status)) {
        if (WTERMSIG(running->ending.status) == SIGXFSZ)
            meter_strike(&running->meter, FILE_SIZE);
        if (WTERMSIG(running->ending.status) == SIGXCPU)
            meter_strike(&running->meter, CPU);
    }
    kill_and_reap_all(running->process, &running->ending);
    if (!running->process_ended)
        running->ended_us = clock_us();
    streams_drain(&running->streams);
    if (streams_over_limit(&running->streams))
        meter_strike(&running->meter, OUTPUT);
    take_reports(running);
    if (running->report_fd >= 0)
        close(running->report_fd);
    if (running->forks.listener >= 0)
        close(running->forks.listener);
}

/* Executes a stage; true when it ended well, so that the next one may begin. */
bool stage_execute(const struct stage *stage)
{
    struct running running = {.stage = stage};
    struct outcome outcome = {.stage = stage};
    meter_prepare(&running.meter, stage);
    bool waited = take_over(&running);
    meter_start(&running.meter);
    if (waited)
        ahead_feed();
    else
        start(&running, false);
    frame_started(stage);
    watch(&running);
    end(&running);
    meter_finish(&running.meter, &running.ending, running.forks.refused, &outcome);
    outcome.error = failure_of(&running);
    outcome.status = running.ending.status;
    outcome.limit = limit_names[running.meter.limit];
    outcome.wall_us = running.ended_us - running.meter.started_us;
    for (int i = 0; i < STREAMS; i += 1)
        outcome.truncated[i] = running.streams.truncated[i];
    frame_ended(&outcome);
    return outcome.error == NULL && WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0 &&
           outcome.limit == NULL;
}
