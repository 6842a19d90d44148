#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { MAX_CGROUPS = 8, MAX_OPENED = 16, FIRST_FILE = 4 };

/* The launcher's own descriptors, for what a child takes on under another number, are from here on. */
enum { FIRST_OWN = 64 };

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- tree.c */
void tree_make(const char *folder, char **mounts, size_t count);
int tree_enter(void);
int tree_leave(void);

/* ---- cgroups.c */
struct cgroups {
    char *folders[MAX_CGROUPS];
    size_t count;
    char *events; /* NULL where there is no such file */
};

bool cgroups_add(struct cgroups *cgroups, const char *folder);
void cgroups_count_kills_in(struct cgroups *cgroups, const char *path);
bool cgroups_write(const char *path, const char *text);
unsigned long cgroups_remove(struct cgroups *cgroups, size_t *left);

/* ---- network.c */
struct network {
    char *nft; /* NULL for a sandbox without a network; paths of programs */
    char *relay;
    char *range; /* of addresses that the sandbox has for itself, its relay and its name server */
    char *rules;
};

pid_t network_start(pid_t process, const struct network *network, int ready, int connection);

/* ---- sandbox.c */
struct sandbox {
    uid_t user; /* as the launcher's namespace knows it */
    gid_t group;
    int connection;
    int joined[MAX_CGROUPS]; /* cgroup.procs of each cgroup, open for writing */
    size_t joined_count;
    int opened[MAX_OPENED]; /* files that the command gets from FIRST_FILE on */
    size_t opened_count;
    struct network network;
    char **command;
};

pid_t sandbox_start(const struct sandbox *sandbox, pid_t *relay);

#endif
