#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * A sandbox's first process, from its fork to the runner. It begins in namespaces that nobody else is in, joins its
 * cgroups, leaves all mounts but the sandbox's, becomes the one user that its user namespace knows, and gives up every
 * capability but the two that the runner needs. Only the launcher, outside, may say which user that is
 * (user_namespaces(7)), so the child waits for a word of it.
 */

enum { USER_INSIDE = 1000 };

#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)

static void check(long result, const char *what)
{
    if (result >= 0)
        return;
    dprintf(STDOUT_FILENO, "launcher: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static void place_descriptors(const struct sandbox *sandbox)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd += 1)
        if (dup2(sandbox->connection, fd) < 0)
            _exit(1);
    for (size_t i = 0; i < sandbox->opened_count; i += 1)
        check(dup2(sandbox->opened[i], FIRST_FILE + (int)i), "pass a file on");
}

/* Then the cgroup namespace, for which the cgroups that it is made in are the root. */
static void join_cgroups(const struct sandbox *sandbox)
{
    for (size_t i = 0; i < sandbox->joined_count; i += 1)
        check(write(sandbox->joined[i], "0", 1), "join a cgroup");
    check(unshare(CLONE_NEWCGROUP), "begin a cgroup namespace");
}

/* The tree's mounts are locked to one another; a copy of the sandbox's part can become the root, and the rest can go. */
static void enter_root(void)
{
    check(mount("/sandbox", "/sandbox", NULL, MS_BIND | MS_REC, NULL), "mount the root");
    check(chdir("/sandbox"), "enter the root");
    check(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL), "mount /proc");
    check(syscall(SYS_pivot_root, ".", "."), "pivot_root");
    check(umount2(".", MNT_DETACH), "leave the machine's mounts");
    check(chdir("/"), "enter /");
}

static void wait_for_user(int told, bool network)
{
    char word;
    if (read(told, &word, 1) == 1)
        return;
    /* The launcher has said why, or is gone, unless it is the relay that has failed. */
    if (network)
        dprintf(STDOUT_FILENO, "launcher: the network's relay has failed\n");
    _exit(1);
}

/*
 * The ambient set carries the capabilities over execve(2); nothing else does, for the user is not root inside. The bounding
 * set, which is full in a new user namespace, is emptied by the runner.
 */
static void keep_capabilities(void)
{
    static const int kept[] = {CAP_SYS_ADMIN, CAP_SETPCAP};
    uint32_t low = 0;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i += 1)
        low |= UINT32_C(1) << kept[i];
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{low, low, low}, {0, 0, 0}};
    check(syscall(SYS_capset, &header, sets), "set capabilities");
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i += 1)
        check(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kept[i], 0, 0), "keep a capability");
}

static _Noreturn void child_main(const struct sandbox *sandbox, int told)
{
    sigset_t none;
    sigemptyset(&none);
    place_descriptors(sandbox);
    check(sigprocmask(SIG_SETMASK, &none, NULL), "unblock signals");
    join_cgroups(sandbox);
    enter_root();
    check(sethostname("sandbox", strlen("sandbox")), "name the machine");
    check(setsid(), "begin a session");
    wait_for_user(told, sandbox->network.nft != NULL);
    check(setresgid(USER_INSIDE, USER_INSIDE, USER_INSIDE), "become the group");
    check(setresuid(USER_INSIDE, USER_INSIDE, USER_INSIDE), "become the user");
    /* After the change of user, which takes this back. A launcher that was gone before is the end of descriptor 0. */
    check(prctl(PR_SET_PDEATHSIG, SIGKILL), "follow the launcher");
    keep_capabilities();
    check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "set no_new_privs");
    char *environment[] = {NULL};
    check(execve(sandbox->command[0], sandbox->command, environment), sandbox->command[0]);
    _exit(1);
}

static bool write_file(pid_t process, const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)process, name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t written = fd < 0 ? -1 : write(fd, text, strlen(text));
    int reason = errno;
    if (fd >= 0)
        close(fd);
    errno = reason;
    return written >= 0;
}

/* Gives the sandbox its one user; another could then no more be added. */
static bool map_user(pid_t process, const struct sandbox *sandbox)
{
    char user[48];
    char group[48];
    snprintf(user, sizeof user, "%d %u 1", USER_INSIDE, sandbox->user);
    snprintf(group, sizeof group, "%d %u 1", USER_INSIDE, sandbox->group);
    return write_file(process, "setgroups", "deny") && write_file(process, "uid_map", user) &&
           write_file(process, "gid_map", group);
}

/* Its id, or -1 with errno. It reads from `told` that it may go on. */
static pid_t fork_into_namespaces(const struct sandbox *sandbox, const int told[2], struct outside *outside)
{
    outside->has_netns = sandbox->network.nft == NULL && netns_are_left();
    if (outside->has_netns && !netns_enter(&outside->netns)) {
        outside->has_netns = false;
        return -1;
    }
    struct clone_args how = {
        .flags = outside->has_netns ? NAMESPACES : NAMESPACES | CLONE_NEWNET,
        .exit_signal = SIGCHLD,
    };
    pid_t process = -1;
    if (tree_enter() == 0) {
        process = (pid_t)syscall(SYS_clone3, &how, sizeof how);
        if (process == 0) {
            close(told[1]);
            child_main(sandbox, told[0]);
        }
    }
    int reason = errno;
    if (tree_leave() != 0)
        die("launcher: return to the machine's mounts: %s\n", strerror(errno));
    if (outside->has_netns)
        netns_leave();
    if (outside->has_netns && process < 0) {
        outside->has_netns = false;
        netns_give_back(&outside->netns);
    }
    errno = reason;
    return process;
}

/*
 * Starts the sandbox's first process, which becomes the command, and returns its id, or -1 with errno. What the child fails
 * in is one line of text on the connection.
 */
pid_t sandbox_start(const struct sandbox *sandbox, struct outside *outside)
{
    outside->relay = 0;
    outside->has_netns = false;
    int told[2];
    if (pipe2(told, O_CLOEXEC) != 0)
        return -1;
    pid_t process = fork_into_namespaces(sandbox, told, outside);
    int reason = errno;
    if (process > 0) {
        if (!map_user(process, sandbox)) {
            dprintf(sandbox->connection, "launcher: map the user: %s\n", strerror(errno));
            kill(process, SIGKILL);
        } else if (sandbox->network.nft != NULL) {
            outside->relay = network_start(process, &sandbox->network, told[1], sandbox->connection);
            if (outside->relay < 0)
                kill(process, SIGKILL);
        } else if (write(told[1], "", 1) != 1) {
            kill(process, SIGKILL);
        }
    }
    close(told[0]);
    close(told[1]);
    errno = reason;
    return process;
}
