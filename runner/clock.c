#include "runner.h"

#include <time.h>

/* Microseconds of CLOCK_MONOTONIC. */
uint64_t clock_us(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        die_errno("clock_gettime");
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
