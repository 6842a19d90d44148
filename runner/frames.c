#include "runner.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* Writes the protocol's frames, one JSON object a line, into the output buffer. */

enum { FRAME_BYTES = 1 << 10 };

static const char *const stage_names[] = {
    [STAGE_COMPILE] = "compile", [STAGE_RUN] = "run", [STAGE_TEST] = "test"};
static const char *const stream_names[] = {[STREAM_STDOUT] = "stdout", [STREAM_STDERR] = "stderr"};
static uint64_t next_seq;

static void put(const char *text)
{
    size_t length = strlen(text);
    memcpy(output_reserve(length), text, length);
    output_commit(length);
}

static __attribute__((format(printf, 1, 2))) void put_format(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int length = vsnprintf(output_reserve(FRAME_BYTES), FRAME_BYTES, format, values);
    va_end(values);
    if (length < 0 || length >= FRAME_BYTES)
        _Exit(EXIT_FAILED);
    output_commit((size_t)length);
}

static void begin(void)
{
    put_format("{\"seq\":%" PRIu64 ",", next_seq);
    next_seq += 1;
}

static void put_figure(const char *name, struct figure figure)
{
    if (figure.known)
        put_format(",\"%s\":%" PRIu64, name, figure.value);
    else
        put_format(",\"%s\":null", name);
}

static void put_name(const char *name, const char *value)
{
    if (value != NULL)
        put_format(",\"%s\":\"%s\"", name, value);
    else
        put_format(",\"%s\":null", name);
}

void frame_ready(const char *version)
{
    put("{\"type\":\"ready\",\"protocol\":1");
    put_name("version", version);
    put("}\n");
}

static void put_stage(const struct stage *stage)
{
    put_format("\"stage\":\"%s\"", stage_names[stage->kind]);
    if (stage->kind == STAGE_TEST)
        put_format(",\"test\":%zu", stage->test);
}

void frame_started(const struct stage *stage)
{
    begin();
    put("\"type\":\"started\",");
    put_stage(stage);
    put("}\n");
}

/* As text where that is no longer than base64, so that no chunk takes more room than output_has_room_for_chunk says. */
void frame_output(enum stream stream, const uint8_t *bytes, size_t length)
{
    static const char keys[2][9] = {"\"data\":\"", "\"text\":\""};
    enum { KEY_BYTES = sizeof keys[0] - 1 };
    begin();
    put_format("\"type\":\"%s\",", stream_names[stream]);
    char *target = output_reserve(KEY_BYTES + BASE64_BYTES(length));
    size_t written = text_encode(target + KEY_BYTES, BASE64_BYTES(length), bytes, length);
    memcpy(target, keys[written > 0], KEY_BYTES);
    if (written == 0)
        written = base64_encode(target + KEY_BYTES, bytes, length);
    output_commit(KEY_BYTES + written);
    put("\"}\n");
}

void frame_ended(const struct outcome *outcome)
{
    bool exited = outcome->error == NULL && WIFEXITED(outcome->status);
    bool signaled = outcome->error == NULL && WIFSIGNALED(outcome->status);
    begin();
    put("\"type\":\"ended\",");
    put_stage(outcome->stage);
    put_figure("exit_code", (struct figure){exited, (uint64_t)WEXITSTATUS(outcome->status)});
    put_name("signal", signaled ? signal_name(WTERMSIG(outcome->status)) : NULL);
    put_name("error", outcome->error);
    put_name("limit", outcome->limit);
    put_figure("wall_us", (struct figure){true, outcome->wall_us});
    put_figure("cpu_us", outcome->cpu_us);
    put_figure("memory_bytes", outcome->memory_bytes);
    put_format(",\"stdout_truncated\":%s", outcome->truncated[STREAM_STDOUT] ? "true" : "false");
    put_format(",\"stderr_truncated\":%s}\n", outcome->truncated[STREAM_STDERR] ? "true" : "false");
}

/* `name` is UTF-8 without control characters. */
void frame_artifact(const char *name, uint64_t size, bool has_content)
{
    static char text[FRAME_BYTES];
    size_t length = text_encode(text, sizeof text - 1, (const uint8_t *)name, strlen(name));
    text[length] = '\0';
    begin();
    put("\"type\":\"artifact\",\"name\":\"");
    put(text);
    put_format("\",\"size_bytes\":%" PRIu64 ",\"has_content\":%s}\n", size, has_content ? "true" : "false");
}

/* A piece of the artifact that was told last. */
void frame_content(const uint8_t *bytes, size_t length)
{
    begin();
    put("\"type\":\"content\",\"data\":\"");
    output_commit(base64_encode(output_reserve(BASE64_BYTES(length)), bytes, length));
    put("\"}\n");
}

/* A piece of the records that put the compiled program into another sandbox. */
void frame_kept(const uint8_t *bytes, size_t length)
{
    begin();
    put("\"type\":\"kept\",\"data\":\"");
    output_commit(base64_encode(output_reserve(BASE64_BYTES(length)), bytes, length));
    put("\"}\n");
}

/* Whether the pieces are all there is. */
void frame_kept_end(bool is_whole)
{
    begin();
    put_format("\"type\":\"kept_ended\",\"whole\":%s}\n", is_whole ? "true" : "false");
}

void frame_artifacts_end(uint64_t omitted)
{
    begin();
    put_format("\"type\":\"artifacts_ended\",\"omitted\":%" PRIu64 "}\n", omitted);
}

/* How much of what is said to an interactive program its stdin has taken. No part of what happened: it has no number. */
void frame_fed(uint64_t bytes)
{
    put_format("{\"type\":\"fed\",\"bytes\":%" PRIu64 "}\n", bytes);
}

void frame_finished(void)
{
    begin();
    put("\"type\":\"finished\"}\n");
}

void frame_failed(const char *message)
{
    begin();
    put("\"type\":\"failed\",\"message\":\"");
    for (; *message != '\0'; message += 1) {
        unsigned char byte = (unsigned char)*message;
        bool plain = byte >= ' ' && byte < 0x7f && byte != '"' && byte != '\\';
        put_format(plain ? "%c" : "\\u%04x", byte);
    }
    put("\"}\n");
}
