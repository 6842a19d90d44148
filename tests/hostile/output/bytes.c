// tries: a system call and a frame for each single byte
// outcomes: [output_limit]
// limit: output
// limits: { output_bytes: 20000, wall_ms: 8000 }
#include <unistd.h>

int main(void)
{
    for (;;) {
        write(1, "x", 1);
        write(2, "y", 1);
    }
}
