// tries: every family and type of socket that the kernel has, alone and in pairs
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { wall_ms: 5000 }
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
    for (int family = 0; family < 64; family += 1)
        for (int type = 1; type <= 10; type += 1)
            for (int protocol = 0; protocol <= 20; protocol += 5) {
                int pair[2];
                int alone = socket(family, type, protocol);
                int both = socketpair(family, type, protocol, pair);
                if (family != AF_UNIX && (alone >= 0 || both == 0))
                    printf("ESCAPED %d %d %d\n", family, type, protocol);
                if (alone >= 0)
                    close(alone);
                if (both == 0) {
                    close(pair[0]);
                    close(pair[1]);
                }
            }
    puts("went on");
}
