// tries: an exit code that is more than a byte, from a handler at its exit, with a frame as its name
// outcomes: [failed]
// exit_code: 1
// limits: { wall_ms: 5000 }
#include <cstdio>
#include <cstdlib>
#include <sys/prctl.h>
#include <unistd.h>

int main()
{
    prctl(PR_SET_NAME, "\"}\n{\"seq\":9");
    atexit([] { _exit(257); });
    std::exit(256);
}
