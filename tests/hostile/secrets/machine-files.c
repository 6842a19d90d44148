// tries: files of the machine, by their paths and past every root that it can name
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { wall_ms: 5000 }
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void look(const char *path)
{
    char text[200] = "";
    int file = open(path, O_RDONLY | O_NOFOLLOW);
    if (file >= 0 && read(file, text, sizeof text - 1) > 0)
        printf("ESCAPED %s: %s\n", path, text);
}

int main(void)
{
    static const char *const roots[] = {"",
                                        "/proc/1/root",
                                        "/proc/self/root",
                                        "/proc/self/cwd/../../../../..",
                                        "/work/../../../../..",
                                        "/proc/self/task/../../1/root",
                                        "/dev/fd/0/../../..",
                                        "/proc/thread-self/root/..",
                                        "/mnt",
                                        "/host",
                                        "/rootfs",
                                        "/oldroot"};
    for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i += 1) {
        char path[500];
        snprintf(path, sizeof path, "%s%s", roots[i], "{{file}}");
        look(path);
        snprintf(path, sizeof path, "%s/etc/shadow", roots[i]);
        look(path);
        snprintf(path, sizeof path, "%s/root/.bash_history", roots[i]);
        look(path);
    }
    puts("went on");
}
