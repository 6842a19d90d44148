// tries: ten megabytes of input that nobody reads
// outcomes: [succeeded]
// stdout: "went on\n"
// stdin: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
// stdin_repeated: 160000
// limits: { wall_ms: 5000 }
#include <stdio.h>

int main(void)
{
    puts("went on");
}
