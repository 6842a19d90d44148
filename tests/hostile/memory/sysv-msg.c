// tries: memory of the kernel, in message queues that nobody reads
// outcomes: [succeeded, memory_limit, failed]
// limits: { memory_bytes: 50331648, wall_ms: 8000 }
#include <stdio.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/msg.h>

int main(void)
{
    static struct {
        long type;
        char text[8000];
    } message = {1, "x"};
    int queue;
    int queues = 0;
    while (queues < 20000 && (queue = msgget(IPC_PRIVATE, IPC_CREAT | 0666)) >= 0) {
        while (msgsnd(queue, &message, sizeof message.text, IPC_NOWAIT) == 0) {
        }
        queues += 1;
    }
    puts("went on");
}
