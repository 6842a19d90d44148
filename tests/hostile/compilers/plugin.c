// tries: a tool of its own in the compiler's place, and options of its own
// refused: env.PATH
// limits: { compile_wall_ms: 8000, wall_ms: 3000 }
// env: { PATH: "/work:/usr/local/bin:/usr/bin:/bin", COMPILER_PATH: /work, GCC_EXEC_PREFIX: /work/, CPATH: /root, LIBRARY_PATH: /work, LD_LIBRARY_PATH: /work, DEPENDENCIES_OUTPUT: /usr/planted }
// files: { as: "#!/bin/sh\necho tool >&2\nexit 1\n", ld: "#!/bin/sh\nexit 1\n", cc1: "#!/bin/sh\nexit 1\n", gcc: "#!/bin/sh\nexit 1\n" }
#pragma GCC optimize("-fplugin=/work/evil.so", "-fdump-tree-all")
#include <stdio.h>

int main(void)
{
    puts("went on");
}
