// tries: code of its own in the compiler and in what starts it, by the loader's variables
// refused: env.LD_PRELOAD
// env: { LD_PRELOAD: /work/evil.so, LD_AUDIT: /work/evil.so, LD_LIBRARY_PATH: /work, LD_DEBUG: "", GLIBC_TUNABLES: "glibc.malloc.check=3", MALLOC_CHECK_: "3" }
// files: { evil.so: "no library", libc.so.6: "no library either" }
// limits: { compile_wall_ms: 8000, wall_ms: 3000 }
#include <stdio.h>

int main(void)
{
    puts("went on");
}
