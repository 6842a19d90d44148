#include "runner.h"

#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

/*
 * Reads the payload's records into a program whose pointers lead into the payload. Each record is a tag, the length of
 * its value as u32, and the value; numbers are little-endian. Nothing is believed: the first error ends the runner.
 */

enum { RECORD_HEADER_BYTES = 5 };

/* The greatest value of any limit: no sum or product of limits and times overflows, and JSON tells it exactly. */
static const uint64_t MAX_LIMIT = UINT64_C(1) << 53;

/* Vectors of all stages and tests, each ended by NULL. */
static char *arguments[MAX_ARGUMENTS + MAX_STAGES + MAX_TESTS + 1];
static char *variables[MAX_VARIABLES + MAX_STAGES + 1];
static size_t argument_count;
static size_t variable_count;
static size_t argument_slots;
static size_t variable_slots;

struct record {
    char tag;
    uint8_t *value; /* followed by a NUL once the next record's header was read */
    size_t length;
};

static uint64_t little_endian(const uint8_t *bytes, size_t length)
{
    uint64_t value = 0;
    for (size_t i = length; i > 0; i -= 1)
        value = value << 8 | bytes[i - 1];
    return value;
}

static void require_length(const struct record *record, size_t length)
{
    if (record->length != length)
        die("program: a record '%c' has %zu bytes", record->tag, record->length);
}

static char *text(const struct record *record)
{
    if (memchr(record->value, '\0', record->length) != NULL)
        die("program: a record '%c' contains NUL", record->tag);
    return (char *)record->value;
}

static uint64_t positive(uint64_t value, const char *what)
{
    if (value == 0 || value > MAX_LIMIT)
        die("program: %s is out of range", what);
    return value;
}

/* Ends the runner unless the name leads to a place below the work folder, whatever is there. */
static void check_name(const char *name, size_t length)
{
    if (length == 0 || length > MAX_PATH_BYTES || memchr(name, '\0', length) != NULL)
        die("program: a file has an invalid name");
    for (size_t start = 0; start <= length;) {
        const char *slash = memchr(name + start, '/', length - start);
        size_t end = slash == NULL ? length : (size_t)(slash - name);
        size_t segment = end - start;
        bool dots = (segment == 1 && name[start] == '.') || (segment == 2 && memcmp(name + start, "..", 2) == 0);
        if (segment == 0 || segment > MAX_NAME_BYTES || dots)
            die("program: a file has an invalid name");
        start = end + 1;
    }
}

/* The name's length, the name and the content. */
static void parse_file(struct program *program, const struct record *record, mode_t mode)
{
    if (program->stage_count > 0 && program->test_count == 0)
        die("program: a file comes after a stage");
    if (program->file_count == MAX_FILES)
        die("program: it has more than %d files", MAX_FILES);
    if (record->length < 2)
        die("program: a file has no name");
    size_t name_length = (size_t)little_endian(record->value, 2);
    if (name_length > record->length - 2)
        die("program: a file's name is longer than its record");
    char *name = (char *)record->value + 2;
    check_name(name, name_length);
    struct file *file = &program->files[program->file_count++];
    file->mode = mode;
    file->content = record->value + 2 + name_length;
    file->length = record->length - 2 - name_length;
    /* One byte to the left, over the length that was just read: the NUL then stays clear of the content. */
    memmove(name - 1, name, name_length);
    name[name_length - 1] = '\0';
    file->name = name - 1;
    if (program->test_count > 0)
        program->tests[program->test_count - 1].file_count += 1;
    else
        program->own_file_count += 1;
}

/* A file or an empty folder that an earlier compile stage left (kept.c), behind its mode. */
static void parse_kept(struct program *program, const struct record *record)
{
    if (program->stage_count > 0)
        die("program: a kept file comes after a stage");
    uint64_t mode = record->length < 2 ? UINT64_MAX : little_endian(record->value, 2);
    if ((mode & ~(uint64_t)S_IFDIR) > 0777)
        die("program: a kept file has no mode");
    parse_file(program, &(struct record){record->tag, record->value + 2, record->length - 2}, (mode_t)mode);
}

static void parse_keep(struct program *program, const struct record *record)
{
    require_length(record, 8);
    if (program->keep_bytes > 0 || program->stage_count > 0)
        die("program: what to keep comes twice or late");
    program->keep_bytes = positive(little_endian(record->value, 8), "the size of what to keep");
}

static void parse_work(struct program *program, const struct record *record)
{
    require_length(record, 16);
    if (program->has_work || program->stage_count > 0)
        die("program: the size of the work folder comes twice or late");
    program->has_work = true;
    program->work_bytes = positive(little_endian(record->value, 8), "the size of the work folder");
    program->work_inodes = positive(little_endian(record->value + 8, 8), "the number of files in the work folder");
}

static void parse_network(struct program *program, const struct record *record)
{
    require_length(record, 0);
    if (program->network || program->stage_count > 0)
        die("program: the network comes twice or late");
    program->network = true;
}

/* Begins a vector behind the NULL that ends the one before, however short that is. */
static char **begin_vector(char **all, size_t *slots)
{
    *slots += 1;
    return &all[*slots];
}

static void begin_stage(struct program *program, const struct record *record)
{
    require_length(record, 1);
    if (program->stage_count == MAX_STAGES)
        die("program: it has more than %d stages", MAX_STAGES);
    if (program->test_count > 0)
        die("program: a stage comes after a test");
    char kind = (char)record->value[0];
    if (kind != 'c' && kind != 'r')
        die("program: a stage is neither compile nor run");
    if (program->stage_count == 0)
        program->files_end = record->value;
    else if (kind != 'r' || program->stages[0].kind != STAGE_COMPILE)
        die("program: the second stage is not the run after a compile");
    struct stage *stage = &program->stages[program->stage_count++];
    stage->kind = kind == 'c' ? STAGE_COMPILE : STAGE_RUN;
    stage->arguments = begin_vector(arguments, &argument_slots);
    stage->variables = begin_vector(variables, &variable_slots);
    stage->stdin_bytes = record->value;
}

static void begin_test(struct program *program, const struct record *record)
{
    require_length(record, 0);
    const struct stage *run = &program->stages[program->stage_count - 1];
    if (run->kind != STAGE_RUN || run->is_live)
        die("program: a test comes before the run stage, or is of an interactive one");
    if (program->test_count == MAX_TESTS)
        die("program: it has more than %d tests", MAX_TESTS);
    struct test *test = &program->tests[program->test_count];
    test->files = &program->files[program->file_count];
    test->stage = (struct stage){
        .kind = STAGE_TEST,
        .test = program->test_count++,
        .arguments = begin_vector(arguments, &argument_slots),
        .stdin_bytes = record->value,
    };
}

static void parse_glob(struct program *program, const struct record *record)
{
    if (program->stage_count > 0 || program->glob_count == MAX_GLOBS)
        die("program: a glob comes after a stage, or there are more than %d", MAX_GLOBS);
    check_name((const char *)record->value, record->length);
    program->globs[program->glob_count++] = text(record);
}

static void parse_argument(const struct record *record)
{
    if (argument_count == MAX_ARGUMENTS)
        die("program: it has more than %d arguments", MAX_ARGUMENTS);
    argument_count += 1;
    arguments[argument_slots++] = text(record);
}

static void parse_variable(const struct program *program, const struct record *record)
{
    if (program->test_count > 0)
        die("program: a test has an environment of its own");
    if (variable_count == MAX_VARIABLES)
        die("program: it has more than %d environment variables", MAX_VARIABLES);
    char *variable = text(record);
    const char *equals = memchr(variable, '=', record->length);
    if (equals == NULL || equals == variable)
        die("program: an environment variable has no name or no value");
    variable_count += 1;
    variables[variable_slots++] = variable;
}

static void parse_stdin(struct stage *stage, const struct record *record)
{
    if (stage->has_stdin)
        die("program: a stage has two inputs");
    stage->has_stdin = true;
    stage->stdin_bytes = record->value;
    stage->stdin_length = record->length;
}

/* The stage's stdin goes on behind the program; with a size, it and the outputs are a terminal's. */
static void parse_live(struct stage *stage, const struct record *record)
{
    if (stage->kind != STAGE_RUN || stage->is_live)
        die("program: a stage that is not the run is interactive, or one is twice");
    stage->is_live = true;
    if (record->length == 0)
        return;
    require_length(record, 4);
    stage->has_terminal = true;
    stage->terminal = (struct terminal_size){
        .columns = (unsigned short)little_endian(record->value, 2),
        .rows = (unsigned short)little_endian(record->value + 2, 2),
    };
}

static void parse_limit(struct stage *stage, const struct record *record)
{
    require_length(record, 9);
    unsigned int key = record->value[0];
    if (key < LIMIT_WALL_US || key >= LIMIT_KEYS || stage->has_limit[key])
        die("program: a limit is unknown or comes twice");
    uint64_t value = little_endian(record->value + 1, 8);
    bool may_be_zero = key == LIMIT_FILE_BYTES || key == LIMIT_OUTPUT_BYTES;
    stage->limit[key] = may_be_zero && value == 0 ? 0 : positive(value, "a limit");
    stage->has_limit[key] = true;
}

static void parse_record(struct program *program, const struct record *record)
{
    if (record->tag == 'F')
        return parse_file(program, record, 0644);
    if (record->tag == 'K')
        return parse_kept(program, record);
    if (record->tag == 'C')
        return parse_keep(program, record);
    if (record->tag == 'W')
        return parse_work(program, record);
    if (record->tag == 'G')
        return parse_glob(program, record);
    if (record->tag == 'N')
        return parse_network(program, record);
    if (record->tag == 'S')
        return begin_stage(program, record);
    if (program->stage_count == 0)
        die("program: a record comes before its stage");
    struct stage *stage = program->test_count > 0 ? &program->tests[program->test_count - 1].stage
                                                  : &program->stages[program->stage_count - 1];
    switch (record->tag) {
    case 'T':
        return begin_test(program, record);
    case 'A':
        return parse_argument(record);
    case 'E':
        return parse_variable(program, record);
    case 'I':
        return parse_stdin(stage, record);
    case 'V':
        return parse_live(stage, record);
    case 'L':
        return parse_limit(stage, record);
    default:
        die("program: a record has an unknown tag");
    }
}

/* Gives a test what it has not of its own. */
static void complete_test(struct stage *test, const struct stage *run)
{
    if (test->arguments[0] == NULL)
        test->arguments = run->arguments;
    test->variables = run->variables;
    if (!test->has_stdin) {
        test->stdin_bytes = run->stdin_bytes;
        test->stdin_length = run->stdin_length;
    }
    for (int key = LIMIT_WALL_US; key < LIMIT_KEYS; key += 1) {
        if (!test->has_limit[key])
            test->limit[key] = run->limit[key];
        test->has_limit[key] = test->has_limit[key] || run->has_limit[key];
    }
}

static void check_complete(const struct program *program)
{
    if (!program->has_work)
        die("program: it has no size of the work folder");
    if (program->stage_count == 0)
        die("program: it has no stage");
    if (program->keep_bytes > 0 && program->stages[0].kind != STAGE_COMPILE)
        die("program: it has nothing to compile and to keep");
    for (size_t i = 0; i < program->stage_count; i += 1) {
        const struct stage *stage = &program->stages[i];
        if (stage->arguments[0] == NULL)
            die("program: a stage has no command");
        for (int key = LIMIT_WALL_US; key < LIMIT_KEYS; key += 1)
            if (!stage->has_limit[key] && key != LIMIT_PROCESSES && key != LIMIT_IDLE_US)
                die("program: a stage lacks limit %d", key);
    }
}

/* Clears what the program that was started ahead has used; to clear all there is takes longer than to read the next. */
static void forget(struct program *program)
{
    memset(arguments, 0, (argument_slots + 1) * sizeof arguments[0]);
    memset(variables, 0, (variable_slots + 1) * sizeof variables[0]);
    argument_count = variable_count = argument_slots = variable_slots = 0;
    memset(program->files, 0, program->file_count * sizeof program->files[0]);
    memset(program->tests, 0, program->test_count * sizeof program->tests[0]);
    memset(program, 0, offsetof(struct program, files));
}

void program_parse(struct program *program, const struct payload *payload)
{
    if (program->stage_count > 0)
        forget(program);
    size_t at = 0;
    while (at < payload->length) {
        if (payload->length - at < RECORD_HEADER_BYTES)
            die("program: a record has no header");
        uint8_t *header = payload->bytes + at;
        size_t length = (size_t)little_endian(header + 1, 4);
        at += RECORD_HEADER_BYTES;
        if (length > payload->length - at)
            die("program: a record is longer than the program");
        struct record record = {(char)header[0], payload->bytes + at, length};
        /* Ends the text of the record before. */
        header[0] = '\0';
        at += length;
        parse_record(program, &record);
    }
    payload->bytes[payload->length] = '\0';
    check_complete(program);
    for (size_t i = 0; i < program->test_count; i += 1)
        complete_test(&program->tests[i].stage, &program->stages[program->stage_count - 1]);
}
