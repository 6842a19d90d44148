// tries: "the parts of the kernel that have let programs out before: keys, bpf, perf, userfaultfd, handles of files"
// outcomes: [succeeded]
// stdout: ".*went on\n"
// limits: { wall_ms: 5000 }
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DENIED(call) printf("%s: %s\n", #call, (long)(call) == -1 ? strerrorname_np(errno) : "ESCAPED")

int main(void)
{
    char attributes[128] = {0};
    int id;
    struct {
        unsigned int bytes;
        int type;
        char handle[128];
    } handle = {128, 0, {0}};
    DENIED(syscall(SYS_add_key, "user", "name", "x", 1, -3));
    DENIED(syscall(SYS_request_key, "user", "name", NULL, -3));
    DENIED(syscall(SYS_keyctl, 0, -3, 1));
    DENIED(syscall(SYS_keyctl, 1, "session"));
    DENIED(syscall(SYS_bpf, 0, attributes, sizeof attributes));
    DENIED(syscall(SYS_bpf, 5, attributes, sizeof attributes));
    DENIED(syscall(SYS_perf_event_open, attributes, 0, -1, -1, 0));
    DENIED(syscall(SYS_userfaultfd, 0));
    DENIED(syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */));
    DENIED(syscall(SYS_name_to_handle_at, AT_FDCWD, "/", &handle, &id, 0));
    DENIED(syscall(SYS_open_by_handle_at, AT_FDCWD, &handle, O_RDONLY));
    DENIED(syscall(SYS_fanotify_init, 0, 0));
    DENIED(syscall(SYS_quotactl, 0, "/", 0, attributes));
    DENIED(syscall(SYS_migrate_pages, 1, 0, NULL, NULL));
    DENIED(syscall(SYS_move_pages, 1, 1UL, (void *[]){attributes}, NULL, &id, 0));
    DENIED(syscall(SYS_lookup_dcookie, 1, attributes, sizeof attributes));
    DENIED(syscall(SYS_memfd_create, "secret", 4));
    puts("went on");
}
