#ifndef LAUNCHER_H
#define LAUNCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { MAX_CGROUPS = 8, MAX_OPENED = 16, FIRST_FILE = 4 };

/* All that the launcher opens is from here on: what a child takes on under another number is in nothing's way. */
enum { FIRST_OWN = FIRST_FILE + MAX_OPENED };

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- tree.c */
void tree_make(const char *folder, char **mounts, size_t count);
int this_namespace(const char *path);
int tree_enter(void);
int tree_leave(void);

/* ---- cgroups.c */
struct cgroup {
    char *path;
    int parent;
    const char *name; /* in the parent */
    int folder; /* while the sandbox is made; then -1 */
};

struct cgroups {
    struct cgroup all[MAX_CGROUPS];
    size_t count;
    char *events; /* NULL where there is no such file */
};

bool cgroups_add(struct cgroups *cgroups, const char *path);
int cgroups_open_joining(const struct cgroups *cgroups);
int cgroups_open(const struct cgroups *cgroups, const char *path, int flags);
bool cgroups_write(const struct cgroups *cgroups, const char *path, const char *text);
void cgroups_count_kills_in(struct cgroups *cgroups, const char *path);
void cgroups_close(struct cgroups *cgroups);
unsigned long cgroups_remove(struct cgroups *cgroups, size_t *left);

/* ---- netns.c */
struct netns {
    int self;
    int sockets; /* /proc/net/sockstat in it */
};

void netns_allow_reuse(void);
bool netns_are_left(void);
bool netns_enter(struct netns *netns);
void netns_leave(void);
void netns_give_back(const struct netns *netns);

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
    int joined[MAX_CGROUPS]; /* what to write to so as to join each cgroup */
    size_t joined_count;
    int opened[MAX_OPENED]; /* files that the command gets from FIRST_FILE on */
    size_t opened_count;
    struct network network;
    char **command;
};

struct outside { /* what there is of a sandbox beside its processes */
    pid_t relay; /* of its network; 0 without one */
    bool has_netns; /* which is to be given back */
    struct netns netns;
};

pid_t sandbox_start(const struct sandbox *sandbox, struct outside *outside);

#endif
