#include "runner.h"

#include <stdio.h>
#include <string.h>

/* Bytes as the inside of a JSON string, for people who read frames with their own eyes. */

/* The longest form of a character, "\u" and four digits, and the NUL that snprintf(3) adds. */
enum { ESCAPE_BYTES = 7 };

/* Reads the character that the bytes begin with; returns its length, 0 when they begin with none (RFC 3629). */
static size_t read_character(const uint8_t *bytes, size_t left, uint32_t *point)
{
    uint8_t first = bytes[0];
    *point = first;
    if (first < 0x80)
        return 1;
    size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || length > left)
        return 0;
    *point = first & (0x7fu >> length);
    for (size_t i = 1; i < length; i += 1) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (bytes[i] & 0x3f);
    }
    bool too_long = (length == 3 && *point < 0x800) || (length == 4 && *point < 0x10000);
    bool is_surrogate = *point >= 0xd800 && *point <= 0xdfff;
    return too_long || is_surrogate || *point > 0x10ffff ? 0 : length;
}

/* Neither special to JSON, nor a command to a terminal or to a reader of lines. */
static bool is_plain(uint32_t point)
{
    return point >= ' ' && point != '"' && point != '\\' && (point < 0x7f || point > 0x9f) && point != 0x2028 &&
           point != 0x2029;
}

static size_t escape(char form[ESCAPE_BYTES], uint32_t point)
{
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *pair = short_forms; *pair != '\0'; pair += 2)
        if ((uint32_t)*pair == point)
            return (size_t)snprintf(form, ESCAPE_BYTES, "\\%c", pair[1]);
    return (size_t)snprintf(form, ESCAPE_BYTES, "\\u%04x", (unsigned int)point);
}

/* Writes at most `most` characters; returns their number, or 0 when the bytes are not UTF-8 or take more. */
size_t text_encode(char *target, size_t most, const uint8_t *bytes, size_t length)
{
    size_t written = 0;
    for (size_t at = 0; at < length;) {
        uint32_t point;
        char form[ESCAPE_BYTES];
        size_t bytes_taken = read_character(bytes + at, length - at, &point);
        if (bytes_taken == 0)
            return 0;
        bool plain = is_plain(point);
        size_t form_length = plain ? bytes_taken : escape(form, point);
        if (form_length > most - written)
            return 0;
        memcpy(target + written, plain ? (const char *)bytes + at : form, form_length);
        written += form_length;
        at += bytes_taken;
    }
    return written;
}
