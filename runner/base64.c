#include "runner.h"

/* Base64 with its usual alphabet and padding (RFC 4648). */

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Writes BASE64_BYTES(length) characters; returns their number. */
size_t base64_encode(char *target, const uint8_t *bytes, size_t length)
{
    char *next = target;
    size_t at = 0;
    for (; length - at >= 3; at += 3) {
        uint32_t group = (uint32_t)bytes[at] << 16 | (uint32_t)bytes[at + 1] << 8 | bytes[at + 2];
        *next++ = digits[group >> 18];
        *next++ = digits[group >> 12 & 63];
        *next++ = digits[group >> 6 & 63];
        *next++ = digits[group & 63];
    }
    if (at < length) {
        bool two = length - at == 2;
        uint32_t group = (uint32_t)bytes[at] << 16 | (two ? (uint32_t)bytes[at + 1] << 8 : 0);
        *next++ = digits[group >> 18];
        *next++ = digits[group >> 12 & 63];
        *next++ = two ? digits[group >> 6 & 63] : '=';
        *next++ = '=';
    }
    return (size_t)(next - target);
}

/* The value of a digit, or -1. */
static int value_of(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '+' ? 62 : digit == '/' ? 63 : -1;
}

/*
 * Decodes a text's next character, with which at most one byte is complete: true when `*byte` holds it. Whatever is not
 * base64, nothing after the padding included, sets `wrong` for good.
 */
bool base64_decode(struct base64 *state, char digit, uint8_t *byte)
{
    unsigned int place = state->count % 4;
    state->count += 1;
    if (digit == '=') {
        /* "xx==" or "xxx=", and no bit left over in them: a text has one value and each value one text. */
        bool may_pad = place == 3 || (place == 2 && !state->padded);
        state->wrong |= !may_pad || (state->padded ? false : state->held != 0);
        state->padded = true;
        return false;
    }
    int value = value_of(digit);
    if (value < 0 || state->padded) {
        state->wrong = true;
        return false;
    }
    uint32_t held = state->held << 6 | (uint32_t)value;
    /* 6, 4, 2 and 0 bits are left over in turn. */
    unsigned int left = 6 - 2 * place;
    *byte = (uint8_t)(held >> left);
    state->held = held & ((1u << left) - 1);
    return place > 0 && !state->wrong;
}

/* Whether all characters so far are a whole text. */
bool base64_is_whole(const struct base64 *state)
{
    return !state->wrong && state->count % 4 == 0;
}
