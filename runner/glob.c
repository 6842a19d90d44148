#include "runner.h"

#include <string.h>

/*
 * Globs over paths below the work folder: `*` is any part of a name, `?` one byte of it, `**` as a whole segment any
 * number of folders. Both levels match in time proportional to the product of the lengths: only the last star is ever
 * taken back.
 */

struct segment {
    const char *text;
    size_t length;
};

static struct segment segment_at(const char *text)
{
    return (struct segment){text, strcspn(text, "/")};
}

/* The text behind a segment, NULL behind the last. */
static const char *after(struct segment segment)
{
    const char *end = segment.text + segment.length;
    return *end == '/' ? end + 1 : NULL;
}

static bool segment_matches(struct segment glob, struct segment name)
{
    size_t g = 0;
    size_t n = 0;
    size_t star = glob.length; /* where the last star is */
    size_t resume = 0;
    while (n < name.length) {
        if (g < glob.length && glob.text[g] == '*') {
            star = g++;
            resume = n;
        } else if (g < glob.length && (glob.text[g] == '?' || glob.text[g] == name.text[n])) {
            g += 1;
            n += 1;
        } else if (star < glob.length) {
            g = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (g < glob.length && glob.text[g] == '*')
        g += 1;
    return g == glob.length;
}

static bool is_any_depth(struct segment glob)
{
    return glob.length == 2 && memcmp(glob.text, "**", 2) == 0;
}

bool glob_matches(const char *glob, const char *path)
{
    const char *star = NULL; /* what follows the last double star */
    const char *resume = NULL;
    while (path != NULL) {
        struct segment name = segment_at(path);
        if (glob != NULL && is_any_depth(segment_at(glob))) {
            star = after(segment_at(glob));
            glob = star;
            resume = path;
            if (star == NULL)
                return true;
        } else if (glob != NULL && segment_matches(segment_at(glob), name)) {
            glob = after(segment_at(glob));
            path = after(name);
        } else if (star != NULL) {
            resume = after(segment_at(resume));
            glob = star;
            path = resume;
        } else {
            return false;
        }
    }
    return glob == NULL;
}
