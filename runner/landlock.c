#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Landlock, as much as the kernel has of it: files are written only below the work folders, and signals and abstract
 * unix sockets reach no process outside of the stage. Reading is left to the mounts.
 */

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (UINT64_C(1) << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (UINT64_C(1) << 14)
#endif
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (UINT64_C(1) << 0)
#define LANDLOCK_SCOPE_SIGNAL (UINT64_C(1) << 1)
#endif

/* The versions that brought what is used here (Documentation/userspace-api/landlock.rst). */
enum { ABI_REFER = 2, ABI_TRUNCATE = 3, ABI_SCOPES = 6 };

/* struct landlock_ruleset_attr as of ABI_SCOPES. */
struct rules {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

static const uint64_t WRITE_TREE =
    LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |
    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK |
    LANDLOCK_ACCESS_FS_MAKE_SYM | LANDLOCK_ACCESS_FS_REFER | LANDLOCK_ACCESS_FS_TRUNCATE;
static const uint64_t WRITE_DEVICE = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_TRUNCATE;

static const char *const trees[] = {"/work", "/tmp", "/dev/shm"};
/* /dev/tty is the terminal that a process has already, or nothing. */
static const char *const devices[] = {"/dev/null",   "/dev/zero",    "/dev/full",
                                      "/dev/random", "/dev/urandom", "/dev/tty"};

static void allow(int rules, const char *path, uint64_t access)
{
    int place = open(path, O_PATH | O_CLOEXEC);
    if (place < 0 && errno == ENOENT)
        return;
    if (place < 0)
        die_errno("open a place for Landlock");
    struct landlock_path_beneath_attr rule = {.allowed_access = access, .parent_fd = place};
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
        die_errno("landlock_add_rule");
    close(place);
}

/* The rules as a descriptor, or -1 where the kernel has none that are of use. */
int landlock_rules(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    /* The first version refuses every move to another folder, which programs do not expect. */
    if (abi < ABI_REFER)
        return -1;
    uint64_t writes = abi < ABI_TRUNCATE ? WRITE_TREE & ~LANDLOCK_ACCESS_FS_TRUNCATE : WRITE_TREE;
    struct rules wanted = {.handled_access_fs = writes};
    size_t size = sizeof wanted.handled_access_fs;
    if (abi >= ABI_SCOPES) {
        wanted.scoped = LANDLOCK_SCOPE_SIGNAL | LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET;
        size = sizeof wanted;
    }
    int rules = (int)syscall(SYS_landlock_create_ruleset, &wanted, size, 0);
    if (rules < 0)
        die_errno("landlock_create_ruleset");
    for (size_t i = 0; i < sizeof trees / sizeof trees[0]; i += 1)
        allow(rules, trees[i], writes);
    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i += 1)
        allow(rules, devices[i], writes & WRITE_DEVICE);
    return rules;
}

int landlock_apply(int rules)
{
    if (rules < 0 || syscall(SYS_landlock_restrict_self, rules, 0) == 0)
        return 0;
    return errno;
}
