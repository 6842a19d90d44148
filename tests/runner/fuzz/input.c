/*
 * Feeds libFuzzer's inputs to all of the runner that reads a program. An input's first letter says by which way the rest
 * of it comes:
 *   P  the payload's records, as they lie in memory when all of fd 0 was read
 *   Z  the same, packed and put into the environment
 *   B  the header and the packed payload, put into the environment in base64
 *   E  the environment's variables, each ended by NUL
 *
 * An input is refused by die() with words that begin with "program: "; any other words are a fault. What is accepted must
 * be what the rest of the runner relies on.
 */

/* For their variables, which a process has once and a fuzzer has to set back. */
#include "../../../runner/environment.c"
#include "../../../runner/program.c"
#include "../../../runner/unpack.c"

#include <sanitizer/asan_interface.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { MAX_INPUT_BYTES = 1 << 20, MAX_TEXT_BYTES = BASE64_BYTES(2 * MAX_INPUT_BYTES), MAX_ENVIRONMENT = 256 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static jmp_buf refused;
static bool may_refuse;
static struct program program;
static struct payload payload;
static char *environment[MAX_ENVIRONMENT + 1];
static char environment_text[MAX_TEXT_BYTES + MAX_PARTS * sizeof "SANDBOX_PROGRAM_00="];

static void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "the runner's promise is broken: %s\n", what);
    abort();
}

_Noreturn void die(const char *format, ...)
{
    char message[256];
    va_list values;
    va_start(values, format);
    vsnprintf(message, sizeof message, format, values);
    va_end(values);
    require(may_refuse, message);
    require(strncmp(message, "program: ", strlen("program: ")) == 0, message);
    longjmp(refused, 1);
}

_Noreturn void die_errno(const char *call)
{
    require(false, call);
    abort();
}

/* The first byte of the payload's memory, which ends with a page that faults. */
static uint8_t *memory_of(size_t *size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t whole = (payload.length + 1 + page - 1) / page * page;
    *size = whole + page;
    return payload.bytes + payload.length + 1 - whole;
}

static void poison_what_precedes_payload(void)
{
    size_t size;
    uint8_t *memory = memory_of(&size);
    ASAN_POISON_MEMORY_REGION(memory, (size_t)(payload.bytes - memory));
}

static void set_back(void)
{
    if (payload.bytes != NULL) {
        size_t size;
        uint8_t *memory = memory_of(&size);
        ASAN_UNPOISON_MEMORY_REGION(memory, size);
        munmap(memory, size);
    }
    payload = (struct payload){0};
    memset(&program, 0, sizeof program);
    memset(arguments, 0, sizeof arguments);
    memset(variables, 0, sizeof variables);
    memset(parts, 0, sizeof parts);
    argument_count = variable_count = argument_slots = variable_slots = part_count = header_length = arena_used = 0;
    ended = false;
}

/* ---- ways in */

static void write_header(uint8_t target[HEADER_BYTES], size_t length)
{
    memcpy(target, "SBXRUN01", 8);
    for (size_t i = 0; i < 4; i += 1)
        target[8 + i] = (uint8_t)(length >> (8 * i));
}

static void use_payload(const uint8_t *data, size_t size)
{
    uint8_t announced[HEADER_BYTES];
    write_header(announced, size);
    payload_begin(&payload, announced);
    memcpy(payload.bytes, data, size);
}

static void use_variables(const uint8_t *data, size_t size)
{
    memcpy(environment_text, data, size);
    environment_text[size] = '\0';
    size_t count = 0;
    for (char *at = environment_text; at < environment_text + size && count < MAX_ENVIRONMENT; at += strlen(at) + 1)
        environment[count++] = at;
    environment[count] = NULL;
}

static void use_bytes(const uint8_t *data, size_t size)
{
    /* The first byte makes parts of different lengths. */
    size_t part = size > 0 && data[0] < 200 ? (size_t)data[0] * 64 + 3 : MAX_PART_BYTES;
    while (BASE64_BYTES(size) / part >= MAX_PARTS)
        part *= 2;
    static char text_of_all[MAX_TEXT_BYTES];
    size_t length = base64_encode(text_of_all, data, size);
    char *target = environment_text;
    size_t count = 0;
    for (size_t at = 0; at < length || at == 0; at += part) {
        size_t here = length - at < part ? length - at : part;
        environment[count] = target;
        target += sprintf(target, "SANDBOX_PROGRAM_%zu=%.*s", count, (int)here, text_of_all + at) + 1;
        count += 1;
    }
    environment[count] = NULL;
}

static void use_packed(const uint8_t *data, size_t size)
{
    static uint8_t packed[2 * MAX_INPUT_BYTES];
    write_header(packed, size);
    uLongf length = sizeof packed - HEADER_BYTES;
    require(compress2(packed + HEADER_BYTES, &length, data, size, Z_BEST_SPEED) == Z_OK, "compress2");
    use_bytes(packed, HEADER_BYTES + length);
}

/* ---- what must hold of a program that was accepted */

static bool is_inside(const void *place)
{
    return (const uint8_t *)place >= payload.bytes && (const uint8_t *)place <= payload.bytes + payload.length;
}

/* `text` ends by NUL inside the payload. */
static void check_text(const char *words)
{
    require(is_inside(words), "a text begins outside of the payload");
    size_t room = (size_t)(payload.bytes + payload.length + 1 - (const uint8_t *)words);
    require(strnlen(words, room) < room, "a text ends outside of the payload");
}

static void check_bytes(const uint8_t *bytes, size_t length)
{
    require(is_inside(bytes) && is_inside(bytes + length), "bytes lie outside of the payload");
}

static void check_file(const struct file *file)
{
    check_text(file->name);
    check_bytes(file->content, file->length);
    require((const uint8_t *)file->name + strlen(file->name) < file->content, "a name lies in its content");
    require((file->mode & ~(mode_t)S_IFDIR) <= 0777, "a mode has more bits than files may have");
    require(file->name[0] != '/' && strlen(file->name) <= MAX_PATH_BYTES, "a name is absolute or too long");
    char path[MAX_PATH_BYTES + 3];
    snprintf(path, sizeof path, "/%s/", file->name);
    require(strstr(path, "//") == NULL && strstr(path, "/./") == NULL && strstr(path, "/../") == NULL,
            "a name leads elsewhere");
}

static void check_vector(char **vector, size_t most)
{
    size_t count = 0;
    for (; vector[count] != NULL; count += 1)
        check_text(vector[count]);
    require(count <= most, "a vector is too long");
}

static void check_stage(const struct stage *stage)
{
    check_vector(stage->arguments, MAX_ARGUMENTS);
    require(stage->arguments[0] != NULL, "a stage has no command");
    check_vector(stage->variables, MAX_VARIABLES);
    for (char **variable = stage->variables; *variable != NULL; variable += 1)
        require(strchr(*variable, '=') > *variable, "a variable has no name");
    check_bytes(stage->stdin_bytes, stage->stdin_length);
    require(stage->stdin_bytes >= program.files_end, "an input is given back with the files");
    for (int key = LIMIT_WALL_US; key < LIMIT_KEYS; key += 1)
        require(stage->limit[key] <= MAX_LIMIT && (stage->has_limit[key] || key == LIMIT_PROCESSES || key == LIMIT_IDLE_US), "a limit");
}

static void check_program(void)
{
    require(program.file_count <= MAX_FILES, "it has too many files");
    for (size_t i = 0; i < program.file_count; i += 1) {
        check_file(&program.files[i]);
        require(i >= program.own_file_count || program.files[i].content + program.files[i].length <= program.files_end,
                "a file is kept in part");
    }
    require(program.has_work && program.work_bytes > 0 && program.work_inodes > 0, "it has no work folder");
    require(program.stage_count == 1 || program.stage_count == 2, "it has no stages, or too many");
    for (size_t i = 0; i < program.stage_count; i += 1)
        check_stage(&program.stages[i]);
    require(program.test_count <= MAX_TESTS, "it has too many tests");
    for (size_t i = 0; i < program.test_count; i += 1) {
        const struct test *test = &program.tests[i];
        check_stage(&test->stage);
        require(test->stage.test == i, "a test has another's number");
        require(test->files >= program.files + program.own_file_count &&
                    test->files + test->file_count <= program.files + program.file_count,
                "a test has other files than its own");
    }
    require(program.glob_count <= MAX_GLOBS, "it has too many globs");
    for (size_t i = 0; i < program.glob_count; i += 1)
        check_text(program.globs[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > MAX_INPUT_BYTES)
        return -1;
    char way = (char)data[0];
    data += 1;
    size -= 1;
    may_refuse = true;
    if (setjmp(refused) == 0) {
        if (way == 'P') {
            use_payload(data, size);
        } else if (way == 'Z' || way == 'B' || way == 'E') {
            (way == 'Z' ? use_packed : way == 'B' ? use_bytes : use_variables)(data, size);
            environ = environment;
            /* What is packed as it should be is unpacked as it was. */
            may_refuse = way != 'Z';
            environment_read(&payload);
            require(way != 'Z' || (payload.length == size && memcmp(payload.bytes, data, size) == 0), "other bytes");
            may_refuse = true;
        } else {
            return -1;
        }
        poison_what_precedes_payload();
        program_parse(&program, &payload);
        check_program();
    }
    set_back();
    return 0;
}
