// tries: calls by the numbers of another architecture, which a filter for one does not know
// outcomes: [succeeded, signaled]
// stdout: "(.*went on\n)?"
// limits: { wall_ms: 5000 }
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
#if defined(__x86_64__)
    /* x32: socket and getpid */
    printf("%s\n", syscall(0x40000000 | 41, 2, 1, 0) < 0 ? "denied" : "ESCAPED");
    printf("%s\n", syscall(0x40000000 | 39) < 0 ? "denied" : "ESCAPED");
    fflush(stdout);
    /* i386: socket(AF_INET, SOCK_STREAM, 0), getpid, unshare(CLONE_NEWUSER); a kernel without it ends the program */
    static const int calls[][4] = {{359, 2, 1, 0}, {20, 0, 0, 0}, {310, 0x10000000, 0, 0}};
    for (int i = 0; i < 3; i += 1) {
        int result = calls[i][0];
        __asm__ volatile("int $0x80" : "+a"(result) : "b"(calls[i][1]), "c"(calls[i][2]), "d"(calls[i][3]) : "memory");
        printf("%s\n", result < 0 ? "denied" : "ESCAPED");
        fflush(stdout);
    }
#endif
    puts("went on");
}
