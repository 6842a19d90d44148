#include "runner.h"

#include <sched.h>

/*
 * What a stage uses, compared with its limits. Where the cgroup's files are read-only, as in a container, nothing but
 * these looks holds memory and inodes, so that they are timed by how fast either could run out.
 */

const char *const limit_names[] = {
    [LIMIT_NONE] = NULL,  [WALL] = "wall",           [IDLE] = "idle",     [CPU] = "cpu",
    [MEMORY] = "memory",  [PROCESSES] = "processes", [OUTPUT] = "output", [FILE_SIZE] = "file_size",
    [INODES] = "inodes",
};

/* The longest time between two looks at the figures, and the shortest when CPU time or memory runs out. */
static const uint64_t LOOK_AT_MOST_US = 50000;
static const uint64_t LOOK_AT_LEAST_US = 1000;

/* 4 GB/s: faster than a program can take memory, which the kernel has to clear. */
static const uint64_t MEMORY_BYTES_PER_US = 4000;

/* The first cause wins. */
void meter_strike(struct meter *meter, enum limit limit)
{
    if (meter->limit == LIMIT_NONE)
        meter->limit = limit;
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

static uint64_t count_processors(void)
{
    cpu_set_t allowed;
    return sched_getaffinity(0, sizeof allowed, &allowed) == 0 && CPU_COUNT(&allowed) > 0
               ? (uint64_t)CPU_COUNT(&allowed)
               : 1;
}

/* Limits memory and takes the figures that those of the stage are compared with. */
void meter_prepare(struct meter *meter, const struct stage *stage)
{
    uint64_t memory = stage->limit[LIMIT_MEMORY_BYTES];
    *meter = (struct meter){.stage = stage, .processors = count_processors()};
    /* A limit below what is held already makes cgroup v2 kill at once, and only the runner is there to be killed. */
    meter->memory_is_limited = folders_used_bytes() <= memory && cgroup_limit_memory(memory + snapshot_bytes());
    meter->memory_peak_is_own = cgroup_reset_memory_peak();
    meter->before = look_at_usage();
}

/* The stage's time begins. */
void meter_start(struct meter *meter)
{
    meter->started_us = meter->active_us = clock_us();
}

static struct figure cpu_used_us(const struct meter *meter)
{
    struct figure used = cgroup_cpu_us();
    used.known = used.known && meter->before.cpu_us.known && used.value >= meter->before.cpu_us.value;
    used.value = used.known ? used.value - meter->before.cpu_us.value : 0;
    return used;
}

static uint64_t at_least_and_most(uint64_t wait)
{
    return wait < LOOK_AT_LEAST_US ? LOOK_AT_LEAST_US : wait > LOOK_AT_MOST_US ? LOOK_AT_MOST_US : wait;
}

/* Returns when CPU time could run out next. */
static uint64_t look_at_cpu(struct meter *meter)
{
    uint64_t most = meter->stage->limit[LIMIT_CPU_US];
    struct figure used = cpu_used_us(meter);
    if (used.known && used.value >= most)
        meter_strike(meter, CPU);
    return used.known && used.value < most ? at_least_and_most((most - used.value) / meter->processors)
                                           : LOOK_AT_MOST_US;
}

/* Returns when memory could run out next. Costs nothing where the cgroup limits it. */
static uint64_t look_at_memory(struct meter *meter)
{
    if (meter->memory_is_limited)
        return LOOK_AT_MOST_US;
    uint64_t most = meter->stage->limit[LIMIT_MEMORY_BYTES] + MEMORY_HEADROOM_BYTES + snapshot_bytes();
    struct figure used = cgroup_memory_used_bytes();
    if (!used.known)
        return LOOK_AT_MOST_US;
    if (!meter->memory_seen_bytes.known || used.value > meter->memory_seen_bytes.value)
        meter->memory_seen_bytes = used;
    if (used.value > most)
        meter_strike(meter, MEMORY);
    return used.value < most ? at_least_and_most((most - used.value) / MEMORY_BYTES_PER_US) : LOOK_AT_LEAST_US;
}

/* The stage is not idle while its streams move: `moved_bytes` in all, in both directions. */
void meter_see_moved(struct meter *meter, uint64_t moved_bytes)
{
    if (moved_bytes == meter->moved_bytes)
        return;
    meter->moved_bytes = moved_bytes;
    meter->active_us = clock_us();
}

static void look(struct meter *meter, uint64_t now_us)
{
    uint64_t elapsed = now_us - meter->started_us;
    uint64_t wall = meter->stage->limit[LIMIT_WALL_US];

    if (figure_moved(meter->before.oom_kills, cgroup_oom_kills()))
        meter_strike(meter, MEMORY);
    uint64_t wait = look_at_memory(meter);
    uint64_t cpu_wait = look_at_cpu(meter);
    if (cpu_wait < wait)
        wait = cpu_wait;
    if (folders_have_too_many_inodes())
        meter_strike(meter, INODES);
    if (elapsed >= wall)
        meter_strike(meter, WALL);
    else if (wall - elapsed < wait)
        wait = wall - elapsed;
    if (meter->stage->has_limit[LIMIT_IDLE_US] && now_us >= meter->active_us + meter->stage->limit[LIMIT_IDLE_US])
        meter_strike(meter, IDLE);
    meter->next_look_us = now_us + wait;
}

/* Looks at the figures when that is due; returns how long, in microseconds, the next look may wait. */
uint64_t meter_check(struct meter *meter)
{
    uint64_t now_us = clock_us();
    if (now_us >= meter->next_look_us)
        look(meter, now_us);
    return meter->next_look_us > now_us ? meter->next_look_us - now_us : 0;
}

/* The last look while processes of the stage may live: its main process ended then. */
void meter_main_ended(struct meter *meter, uint64_t ended_us)
{
    look(meter, ended_us);
}

/*
 * The most memory of the stage: the cgroup's peak where it is this stage's own or was reached in it, and else what is
 * known to have been in use at some time.
 */
static struct figure memory_bytes(const struct meter *meter, struct figure peak, uint64_t resident_bytes)
{
    if (peak.known && (meter->memory_peak_is_own || figure_moved(meter->before.memory_peak_bytes, peak)))
        return peak;
    struct figure seen = meter->memory_seen_bytes;
    if (resident_bytes > seen.value)
        seen = (struct figure){true, resident_bytes};
    return seen;
}

/* Names what only the end tells, once no process of the stage is left, and reports the use of CPU and memory. */
void meter_finish(struct meter *meter, const struct ending *ending, bool fork_was_refused, struct outcome *outcome)
{
    struct usage after = look_at_usage();
    outcome->cpu_us = cpu_used_us(meter);
    outcome->memory_bytes = memory_bytes(meter, after.memory_peak_bytes, ending->resident_bytes);
    if (meter->limit != LIMIT_NONE && meter->limit != WALL && meter->limit != IDLE)
        return;
    struct figure peak = after.memory_peak_bytes;
    bool peak_counts = meter->memory_peak_is_own || figure_moved(meter->before.memory_peak_bytes, peak);
    if (figure_moved(meter->before.oom_kills, after.oom_kills))
        meter->limit = MEMORY;
    else if (fork_was_refused || figure_moved(meter->before.refused_forks, after.refused_forks))
        meter->limit = PROCESSES;
    else if (!meter->memory_is_limited && !meter->memory_seen_bytes.known && peak.known && peak_counts &&
             peak.value > meter->stage->limit[LIMIT_MEMORY_BYTES])
        meter_strike(meter, MEMORY);
}
