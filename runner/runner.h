#ifndef RUNNER_H
#define RUNNER_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Exit statuses: the stages ran; the runner or its input failed; it was told to end, or nobody reads it any more. */
enum { EXIT_FINISHED = 0, EXIT_FAILED = 2, EXIT_STOPPED = 3 };

enum { MAX_FILES = 1024, MAX_ARGUMENTS = 16384, MAX_VARIABLES = 4096, MAX_STAGES = 2, MAX_TESTS = 200, MAX_GLOBS = 20 };
enum { MAX_NAME_BYTES = 255, MAX_PATH_BYTES = 4095 };

/* 64 MiB: the payload that a program may have. */
#define MAX_PAYLOAD_BYTES (UINT32_C(64) << 20)

/* 48 KiB: the output that one frame carries, a multiple of 3 so that base64 pads nothing in the middle of a stream. */
#define CHUNK_BYTES ((size_t)48 << 10)

#define BASE64_BYTES(length) (((length) + 2) / 3 * 4)

/* A figure that the kernel may not be able to tell. */
struct figure {
    bool known;
    uint64_t value;
};

/* ---- failure.c */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void die_errno(const char *call);

/* ---- options.c */
enum figure_file {
    CPU_USAGE,
    MEMORY_PEAK,
    MEMORY_LIMIT,
    MEMORY_EVENTS,
    PIDS_EVENTS,
    CPU_WEIGHT, /* never found, and written only */
    OPTION_FIGURES, /* what is named by no option is only found */
    MEMORY_STAT = OPTION_FIGURES,
    PIDS_CURRENT,
    FIGURE_FILES
};

struct options {
    bool mounts;
    bool exit_on_hangup;
    bool program_in_environment;
    int cgroup_version; /* 1, 2, or 0 when none was named */
    int figure_fd[FIGURE_FILES];
};

void options_parse(struct options *options, char **arguments);

/* ---- descriptors.c */
int close_from(unsigned int first);
void close_all_but(const int *keep, size_t count);
void set_nonblocking(int fd);
bool read_text(int folder, const char *name, char *text, size_t size);

/* ---- text.c, base64.c */
size_t text_encode(char *target, size_t most, const uint8_t *bytes, size_t length);

struct base64 {
    uint32_t held;
    size_t count;
    bool padded;
    bool wrong;
};

size_t base64_encode(char *target, const uint8_t *bytes, size_t length);
bool base64_decode(struct base64 *state, char digit, uint8_t *byte);
bool base64_is_whole(const struct base64 *state);

/* ---- payload.c, input.c, environment.c, unpack.c */
enum { HEADER_BYTES = 12 };

enum payload_kind {
    PAYLOAD_PROGRAM,
    PAYLOAD_AHEAD, /* what is started before its program is there (ahead.c) */
    PAYLOAD_ANEW,  /* a program that what was started ahead did not wait for, and that takes its place */
};

struct payload {
    uint8_t *bytes;
    size_t length; /* bytes[length] may be written too */
    enum payload_kind kind;
};

void payload_make_ready(void);
void payload_begin(struct payload *payload, const uint8_t header[HEADER_BYTES]);
void payload_release(const uint8_t *from, const uint8_t *to);
void payload_keep_from_children(const uint8_t *from, const uint8_t *to);
void input_read(struct payload *payload, bool exit_on_hangup);
void input_await(struct payload *payload, bool exit_on_silence);
void environment_read(struct payload *payload);
void unpack_begin(uint8_t *target, size_t length);
void unpack(const uint8_t *piece, size_t length);
void unpack_end(void);

/* ---- program.c */
enum limit_key {
    LIMIT_WALL_US = 1,
    LIMIT_CPU_US,
    LIMIT_MEMORY_BYTES,
    LIMIT_PROCESSES,
    LIMIT_OPEN_FILES,
    LIMIT_FILE_BYTES,
    LIMIT_OUTPUT_BYTES,
    LIMIT_IDLE_US, /* of an interactive stage */
    LIMIT_KEYS
};

struct file {
    const char *name; /* ended by NUL; MAX_PATH_BYTES at most */
    const uint8_t *content;
    size_t length;
    mode_t mode; /* S_IFDIR for an empty folder, as all folders are made */
};

struct terminal_size {
    unsigned short columns;
    unsigned short rows;
};

enum stage_kind { STAGE_COMPILE, STAGE_RUN, STAGE_TEST };

struct stage {
    enum stage_kind kind;
    size_t test; /* which test it is */
    char **arguments;
    char **variables;
    const uint8_t *stdin_bytes;
    size_t stdin_length;
    bool has_stdin; /* of its own */
    bool is_live;   /* its stdin goes on with what is said while it runs (interaction.c) */
    bool has_terminal;
    struct terminal_size terminal;
    bool has_limit[LIMIT_KEYS];
    uint64_t limit[LIMIT_KEYS];
};

/* A test is the run stage with what differs. */
struct test {
    struct stage stage;
    const struct file *files; /* its own, besides the program's */
    size_t file_count;
};

struct program {
    size_t file_count;
    size_t own_file_count; /* without the tests' */
    const uint8_t *files_end; /* nothing of the payload before this is needed once the files are written */
    bool network; /* whether it may open sockets of the Internet */
    bool has_work;
    uint64_t work_bytes;
    uint64_t work_inodes;
    struct stage stages[MAX_STAGES];
    size_t stage_count;
    size_t test_count;
    const char *globs[MAX_GLOBS]; /* of the artifacts */
    size_t glob_count;
    uint64_t keep_bytes; /* of what the compile stage leaves, to be sent when it ended well; 0 where nobody asks for it */
    /* Last, since they are large: the program's files, and behind them the tests'. */
    struct file files[MAX_FILES];
    struct test tests[MAX_TESTS];
};

void program_parse(struct program *program, const struct payload *payload);

/* ---- folders.c, files.c, privileges.c */
void folders_mount(uint64_t bytes, uint64_t inodes);
void folders_resize(uint64_t bytes, uint64_t inodes);
void folders_count_inodes(uint64_t most);
uint64_t folders_used_bytes(void);
bool folders_have_too_many_inodes(void);
int files_folder(void);
void files_write(const struct file *files, size_t count);
void files_put_over(const struct file *file);
void files_replace(const struct file *files, size_t count);
void privileges_bound(void);
bool privileges_drop(void);

/* ---- entries.c */
enum { ENTRIES_BYTES = 4 << 10 };

/* What is in a folder, read in pieces. */
struct entries {
    int folder;
    size_t at;
    size_t length;
    _Alignas(uint64_t) uint8_t bytes[ENTRIES_BYTES];
};

void entries_begin(struct entries *entries, int folder);
const char *entries_next(struct entries *entries);
int entries_enter(int folder, const char *name);

/* ---- places.c, ipc.c, snapshot.c: what parts one test from the next */
void places_open(void);
int places_work(void);
void places_clean(void);
void ipc_remove_all(void);
void snapshot_take(void);
void snapshot_restore(void);
uint64_t snapshot_bytes(void);

/* ---- landlock.c, seccomp.c: made once by the runner, put on by each stage's child; they return 0 or an errno. */
int landlock_rules(void);
int landlock_apply(int rules);
void seccomp_build(bool network);
int seccomp_apply(int *listener);

/* ---- forks.c */
struct forks {
    int listener; /* -1 where nobody asks */
    uint64_t most;
    bool refused;
};

bool forks_can_be_asked_for(const struct stage *stage);
void forks_handle(struct forks *forks, short happened);

/* ---- control.c */
struct ending {
    int status;              /* as of waitpid(2) */
    uint64_t resident_bytes; /* the most that the process, or one that it waited for, had at a time */
};

enum { WATCH_SIGNALS, WATCH_INPUT, WATCH_OUTPUT, WATCH_CONTROL };

void control_open(void);
void control_program_is_read(bool exit_on_hangup);
void control_watch(struct pollfd *watched);
void control_handle(const struct pollfd *watched);
void control_wait_for_reader(void);
pid_t reap(int options, pid_t main_process, struct ending *ending);
void kill_and_reap_all(pid_t main_process, struct ending *ending);
_Noreturn void stop(void);

/* ---- cgroup.c, cgroup_search.c */

/* What the runner itself may need while the program is at its limit. */
#define MEMORY_HEADROOM_BYTES (UINT64_C(8) << 20)

void cgroup_use(const struct options *options);
void cgroup_raise_weight(void);
int cgroup_search(int figure_fd[FIGURE_FILES]);
struct figure cgroup_cpu_us(void);
struct figure cgroup_memory_peak_bytes(void);
bool cgroup_reset_memory_peak(void);
bool cgroup_limit_memory(uint64_t bytes);
struct figure cgroup_memory_used_bytes(void);
struct figure cgroup_processes(void);
struct figure cgroup_oom_kills(void);
struct figure cgroup_refused_forks(void);
bool figure_moved(struct figure before, struct figure after);

/* ---- frames.c */
enum stream { STREAM_STDOUT, STREAM_STDERR, STREAMS };

struct outcome {
    const struct stage *stage;
    const char *error; /* errno's name when execve failed, else NULL */
    int status;        /* as of waitpid(2), when error is NULL */
    const char *limit; /* NULL when the stage ended by itself */
    uint64_t wall_us;
    struct figure cpu_us;
    struct figure memory_bytes;
    bool truncated[STREAMS];
};

void frame_ready(const char *version);
void frame_started(const struct stage *stage);
void frame_output(enum stream stream, const uint8_t *bytes, size_t length);
void frame_ended(const struct outcome *outcome);
void frame_kept(const uint8_t *bytes, size_t length);
void frame_kept_end(bool is_whole);
void frame_artifact(const char *name, uint64_t size, bool has_content);
void frame_content(const uint8_t *bytes, size_t length);
void frame_artifacts_end(uint64_t omitted);
void frame_fed(uint64_t bytes);
void frame_finished(void);
void frame_failed(const char *message);

/* ---- output.c */
char *output_reserve(size_t length);
void output_commit(size_t length);
bool output_has_room_for_chunk(void);
bool output_is_pending(void);
bool output_flush(void);
void output_flush_within(int milliseconds);

/* ---- terminal.c */
void terminal_mount(void);
void terminal_open(int *ours, int *theirs, struct terminal_size size);
void terminal_resize(int ours, struct terminal_size size);
pid_t terminal_foreground(int ours);

/* ---- interaction.c */
void interaction_begin(const struct stage *run);
bool interaction_is_active(void);
bool interaction_wants_more(void);
void interaction_attach(pid_t to_process, int to_terminal);
struct terminal_size interaction_terminal_size(void);
bool interaction_read(void);
const uint8_t *interaction_pending(size_t *length);
void interaction_fed(size_t length);
void interaction_discard(void);
bool interaction_is_over(void);
void interaction_tell(void);

/* ---- streams.c */
struct streams {
    int stdin_fd; /* -1 when all is fed */
    const uint8_t *feed;
    const uint8_t *feed_end;
    const uint8_t *feed_released;
    bool releases; /* nobody else is fed the same */
    bool is_live;
    int terminal; /* the program's end, held so that ours never ends before the stage; -1 without one */
    uint64_t moved_bytes;
    int fd[STREAMS]; /* -1 at the end */
    uint64_t left[STREAMS];
    bool truncated[STREAMS];
};

enum { WATCH_STDIN = WATCH_CONTROL, WATCH_STDOUT, WATCH_STDERR, WATCH_STREAMS };

void streams_open(struct streams *streams, const struct stage *stage, int child_fd[3]);
void streams_begin(struct streams *streams, const struct stage *stage);
void streams_watch(const struct streams *streams, struct pollfd *watched);
void streams_handle(struct streams *streams, const struct pollfd *watched);
void streams_drain(struct streams *streams);
bool streams_over_limit(const struct streams *streams);
uint64_t streams_taken_bytes(void);

/* ---- report.c, child.c */
enum child_step {
    STEP_PRIVILEGES,
    STEP_SESSION,
    STEP_DESCRIPTORS,
    STEP_TERMINAL,
    STEP_LIMITS,
    STEP_FOLDER,
    STEP_LANDLOCK,
    STEP_SECCOMP,
    STEP_EXECUTE,
    CHILD_STEPS
};

struct report {
    int step;
    int error; /* 0 when it comes with a descriptor */
};

extern const char *const child_step_names[CHILD_STEPS];
void report_open(int *ours, int *child);
bool report_send(int child, const struct report *report, int descriptor);
ssize_t report_receive(int ours, struct report *report, int *descriptor);

struct child_means {
    int standard[3];
    int report;
    int landlock;
    bool asks_for_forks;
    bool is_ahead;
    bool has_terminal;
};

_Noreturn void child_main(const struct stage *stage, const struct child_means *means);
int child_open_state(pid_t process);
bool child_is_ending(int state);
bool child_limit(pid_t process, const struct stage *stage, uint64_t used_us);

/* ---- meter.c */
enum limit { LIMIT_NONE, WALL, IDLE, CPU, MEMORY, PROCESSES, OUTPUT, FILE_SIZE, INODES, LIMITS };

struct usage {
    struct figure cpu_us;
    struct figure memory_peak_bytes;
    struct figure oom_kills;
    struct figure refused_forks;
};

struct meter {
    const struct stage *stage;
    enum limit limit;
    uint64_t processors;
    uint64_t started_us;
    uint64_t active_us; /* when the stage's streams moved last, and how much had by then */
    uint64_t moved_bytes;
    uint64_t next_look_us;
    struct usage before;
    struct figure memory_seen_bytes;
    bool memory_peak_is_own;
    bool memory_is_limited;
};

extern const char *const limit_names[LIMITS];
void meter_prepare(struct meter *meter, const struct stage *stage);
void meter_start(struct meter *meter);
void meter_strike(struct meter *meter, enum limit limit);
uint64_t meter_check(struct meter *meter);
void meter_see_moved(struct meter *meter, uint64_t moved_bytes);
void meter_main_ended(struct meter *meter, uint64_t ended_us);
void meter_finish(struct meter *meter, const struct ending *ending, bool fork_was_refused, struct outcome *outcome);

/* ---- stage.c */
void stage_prepare(bool network);
void stage_start_ahead(const struct stage *stage);
void stage_end_ahead(void);
enum { WATCH_AHEAD = 2 }; /* places for poll */
void stage_watch_ahead(struct pollfd *watched);
void stage_handle_ahead(const struct pollfd *watched);
bool stage_execute(const struct stage *stage);

/* ---- ahead.c */
void ahead_start(struct program *program, const struct payload *payload, bool mounts);
void ahead_place(const struct program *program);
void ahead_feed(void);
void ahead_give_up(void);

/* ---- glob.c, artifacts.c */
bool glob_matches(const char *glob, const char *path);
void artifacts_send(const struct program *program);

/* ---- kept.c */
void kept_send(uint64_t most_bytes);

/* ---- course.c */
void course_prepare(const struct program *program);
void course_run(const struct program *program);

/* ---- clock.c, names.c, version.c */
uint64_t clock_us(void);
const char *error_name(int error);
const char *signal_name(int signal);
const char *toolchain_version(void);

#endif
