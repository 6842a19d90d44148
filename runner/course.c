#include "runner.h"

/* The order in which a program's stages and tests are executed. */

/* 32 MiB: the output that all tests of a program together may have, as much as one run's two streams at their most. */
static const uint64_t TESTS_OUTPUT_BYTES = UINT64_C(32) << 20;

static void keep_from_children(const struct stage *stage)
{
    payload_keep_from_children(stage->stdin_bytes, stage->stdin_bytes + stage->stdin_length);
}

/* Each test finds the work folder as the compiler left it, and nothing of the tests before. */
static void execute_test(const struct test *test, uint64_t output_left)
{
    struct stage stage = test->stage;
    if (stage.limit[LIMIT_OUTPUT_BYTES] > output_left)
        stage.limit[LIMIT_OUTPUT_BYTES] = output_left;
    places_clean();
    snapshot_restore();
    files_replace(test->files, test->file_count);
    while (!output_has_room_for_chunk())
        control_wait_for_reader();
    stage_execute(&stage);
    output_flush();
}

static void execute_tests(const struct program *program)
{
    uint64_t before = streams_taken_bytes();
    snapshot_take();
    for (size_t i = 0; i < program->test_count; i += 1) {
        uint64_t taken = streams_taken_bytes() - before;
        execute_test(&program->tests[i], taken < TESTS_OUTPUT_BYTES ? TESTS_OUTPUT_BYTES - taken : 0);
    }
}

/* Before anything of the program can begin. */
void course_prepare(const struct program *program)
{
    for (size_t i = 0; i < program->stage_count; i += 1)
        keep_from_children(&program->stages[i]);
    for (size_t i = 0; i < program->test_count; i += 1)
        keep_from_children(&program->tests[i].stage);
    if (program->test_count > 0 || program->glob_count > 0 || program->keep_bytes > 0)
        places_open();
}

void course_run(const struct program *program)
{
    for (size_t i = 0; i < program->stage_count; i += 1) {
        const struct stage *stage = &program->stages[i];
        if (stage->kind == STAGE_RUN && program->test_count > 0)
            return execute_tests(program);
        bool went_well = stage_execute(stage);
        /* However the program ended: what it wrote until then may tell why. */
        if (stage->kind == STAGE_RUN && program->glob_count > 0)
            artifacts_send(program);
        if (!went_well)
            return;
        if (stage->kind == STAGE_COMPILE && program->keep_bytes > 0)
            kept_send(program->keep_bytes);
    }
}
