// tries: options of the compiler, by names of files
// refused: "files[1].name"
// files: { "-fplugin=evil.so.c": "int a;", "-o.c": "int b;", "@response.c": "int c;" }
// limits: { compile_wall_ms: 8000, wall_ms: 3000 }
#include <stdio.h>

int main(void)
{
    puts("went on");
}
