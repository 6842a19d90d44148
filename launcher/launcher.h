#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { MAX_JOINED = 8, MAX_OPENED = 16, FIRST_FILE = 4 };

/* The launcher's own descriptors, for what a child takes on under another number, are from here on. */
enum { FIRST_OWN = 64 };

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- tree.c */
void tree_make(const char *folder, char **mounts, size_t count);
int tree_enter(void);
int tree_leave(void);

/* ---- sandbox.c */
struct sandbox {
    uid_t user; /* as the launcher's namespace knows it */
    gid_t group;
    int connection;
    int joined[MAX_JOINED]; /* cgroup.procs of each cgroup, open for writing */
    size_t joined_count;
    int opened[MAX_OPENED]; /* files that the command gets from FIRST_FILE on */
    size_t opened_count;
    char **command;
};

pid_t sandbox_start(const struct sandbox *sandbox);

#endif
