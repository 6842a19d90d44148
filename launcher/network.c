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
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A sandbox's way to other machines. Its network namespace has nothing but what is made here, before its first process goes
 * on: rules of nftables for what leaves it, which nobody inside has the capability to change, and behind them an interface
 * whose packets slirp4netns takes, a process without privileges that opens connections of the machine in their place. No
 * setting of the machine's own network is touched.
 */

/* Connections at one time, each a descriptor of the relay's with buffers, and all that the relay may have as memory. */
enum { RELAY_DESCRIPTORS = 512, RELAY_BYTES = 512 << 20 };

static _Noreturn void fail(int connection, const char *what)
{
    dprintf(connection, "launcher: %s: %s\n", what, strerror(errno));
    _exit(1);
}

static int open_namespace(pid_t process, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/ns/%s", (int)process, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

static bool become_standard(int fd, int standard)
{
    return fd >= 0 && dup2(fd, standard) == standard;
}

/* Over execve(2), which takes all others, since the user is not root in the sandbox's namespace. */
static bool keep_network_capability(void)
{
    uint32_t bit = UINT32_C(1) << CAP_NET_ADMIN;
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {{bit, bit, bit}, {0, 0, 0}};
    return syscall(SYS_capset, &header, sets) == 0 &&
           prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0) == 0;
}

/* Becomes nft in the sandbox's namespaces, with the rules as its input. What it says against them goes to the server. */
static _Noreturn void rules_main(const struct network *network, int user, int net, int connection)
{
    int rules = memfd_create("rules", MFD_CLOEXEC);
    if (rules < 0 || write(rules, network->rules, strlen(network->rules)) != (ssize_t)strlen(network->rules) ||
        lseek(rules, 0, SEEK_SET) != 0)
        fail(connection, "pass the rules on");
    if (setns(user, CLONE_NEWUSER) != 0 || setns(net, CLONE_NEWNET) != 0 || !keep_network_capability())
        fail(connection, "enter the sandbox's network");
    if (!become_standard(rules, STDIN_FILENO) || !become_standard(open("/dev/null", O_WRONLY | O_CLOEXEC), STDOUT_FILENO) ||
        !become_standard(connection, STDERR_FILENO))
        fail(connection, "pass descriptors on");
    char *words[] = {network->nft, "-f", "-", NULL};
    char *environment[] = {NULL};
    execve(words[0], words, environment);
    fail(STDERR_FILENO, words[0]);
}

/*
 * The relay leaves all mounts of the machine behind but /etc and /run, in a mount namespace that it takes for its own. Where
 * mounts are shared it is not: what is unmounted there would be unmounted everywhere (mount_namespaces(7)). And of these two
 * folders it needs no more than to know where names are asked for.
 */
static void part_mounts(int connection)
{
    static char resolver[16 << 10];
    static const char *const folders[] = {"/etc", "/run"};
    int from = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC);
    ssize_t length = from < 0 ? 0 : read(from, resolver, sizeof resolver);
    if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
        fail(connection, "begin a mount namespace");
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i += 1)
        if (mount("tmpfs", folders[i], "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=64k,nr_inodes=8,mode=755") != 0)
            fail(connection, "hide the machine's files from the relay");
    int to = open("/etc/resolv.conf", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (length < 0 || to < 0 || write(to, resolver, (size_t)length) != length)
        fail(connection, "tell the relay where names are asked for");
}

static void limit_relay(int connection)
{
    struct rlimit descriptors = {RELAY_DESCRIPTORS, RELAY_DESCRIPTORS};
    struct rlimit bytes = {RELAY_BYTES, RELAY_BYTES};
    if (setrlimit(RLIMIT_NOFILE, &descriptors) != 0 || setrlimit(RLIMIT_AS, &bytes) != 0)
        fail(connection, "limit the relay");
}

/* Becomes the relay, which writes a byte to `ready` when the interface is there, and ends when `alive` does. */
static _Noreturn void relay_main(const struct network *network, int user, int net, int ready, int alive, int connection)
{
    enum { USER = 3, NET, READY, ALIVE };
    int given[] = {user, net, ready, alive};
    int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd += 1)
        if (!become_standard(nothing, fd))
            _exit(1);
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i += 1)
        if (!become_standard(given[i], USER + (int)i))
            fail(connection, "pass descriptors on");
    part_mounts(connection);
    limit_relay(connection);
    char *words[] = {
        network->relay,          "--configure",
        "--cidr",                network->range,
        "--disable-host-loopback", "--enable-sandbox",
        "--enable-seccomp",      "--netns-type=path",
        "--userns-path=/proc/self/fd/3", "--ready-fd=5",
        "--exit-fd=6",           "/proc/self/fd/4",
        "tap0",                  NULL,
    };
    char *environment[] = {NULL};
    execve(words[0], words, environment);
    fail(connection, words[0]);
}

static _Noreturn void helper_main(pid_t process, const struct network *network, int ready, int alive, int connection)
{
    sigset_t none;
    sigemptyset(&none);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int user = open_namespace(process, "user");
    int net = open_namespace(process, "net");
    if (user < 0 || net < 0 || sigprocmask(SIG_SETMASK, &none, NULL) != 0)
        fail(connection, "find the sandbox's network");
    pid_t rules = fork();
    if (rules == 0)
        rules_main(network, user, net, connection);
    int status;
    if (rules < 0 || waitpid(rules, &status, 0) != rules)
        fail(connection, "run nft");
    if (status != 0) {
        dprintf(connection, "launcher: nft did not take the network's rules\n");
        _exit(1);
    }
    relay_main(network, user, net, ready, alive, connection);
}

/*
 * Makes the network of a sandbox whose first process waits for a byte from `ready`. Returns the id of the relay, which is to
 * be killed when the sandbox has ended, or -1 with errno. What fails later is one line of text on the connection.
 */
pid_t network_start(pid_t process, const struct network *network, int ready, int connection)
{
    /* The end for writing stays with the launcher, and ends with it. */
    static int alive[2] = {-1, -1};
    if (alive[0] < 0 && pipe2(alive, O_CLOEXEC) != 0)
        return -1;
    pid_t helper = fork();
    if (helper == 0) {
        close(alive[1]);
        helper_main(process, network, ready, alive[0], connection);
    }
    return helper;
}
