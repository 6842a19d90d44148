// tries: using up what one user may have of inotify, epoll, eventfd and timerfd on the machine
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { open_files: 1000, wall_ms: 5000 }
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <unistd.h>

int main(void)
{
    while (inotify_init() >= 0) {
    }
    int watcher = dup2(0, 3), files = 0;
    watcher = inotify_init1(0);
    for (int i = 0; i < 100000 && watcher >= 0; i += 1)
        if (inotify_add_watch(watcher, "/work", IN_ALL_EVENTS) < 0)
            break;
    while (eventfd(0, 0) >= 0 && timerfd_create(0, 0) >= 0 && epoll_create1(0) >= 0)
        files += 1;
    puts("went on");
}
