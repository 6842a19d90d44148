/*
 * The launcher: makes and starts sandboxes for the server of one machine, which is too large a process to fork itself
 * often.
 *
 * Theory of operation
 *
 *   server ==fd 0==> launcher      requests: "start" and "kill"
 *   server <==fd 1== launcher      one line for each sandbox: "ended TOKEN KILLS LEFT", with how many processes were killed
 *                                  for want of memory and how many cgroups could not be removed, or "failed TOKEN REASON"
 *   server <==unix socket== runner one connection for each sandbox, its fds 0, 1 and 2
 *
 * Processes. The launcher is one process without threads, started by the server with the path of the server's socket and
 * what the sandboxes' file system is made of, from which it makes one mount namespace at its start (tree.c). For each
 * "start" it connects to the server, tells it on the connection for which token, makes cgroups, and forks a child straight into
 * namespaces of its own, one of them a copy of that mount namespace, and one that may have served others (netns.c). The
 * child joins the sandbox's cgroups, leaves everything of the machine behind and becomes the runner, the first process of
 * the sandbox (sandbox.c). Whatever it fails in is one line of text on the connection, where the runner's frames would have
 * come. Since the connection is older than the child, the server finds it, with that line, also when it hears of the child's
 * end first.
 *
 * A sandbox with a network has a second process outside, its relay, which the launcher forks as well and which lets the
 * child go on when the network is there (network.c).
 *
 * Privileges. Root's launcher makes all of this as root, and gives each sandbox a user id of its own. Anyone else's begins
 * a user namespace, in which it has the privileges for it; all sandboxes then have the server's user id outside.
 *
 * Descriptors. 0, 1 and 2 are the server's; those below FIRST_OWN are only taken, so that signalfd, the namespaces, the
 * cgroups' parents and a request's files, which are the launcher's, lie above. A child keeps its connection as 0, 1 and 2,
 * has the request's files from 4 on, in their order, and nothing else: all others close on exec.
 *
 * Ends. A sandbox dies with the launcher, by a signal from the kernel, and the launcher dies with the server: by the end of
 * fd 0, and by such a signal where the server was killed. A relay is killed when its sandbox was reaped, and ends with the
 * launcher. A child is reaped only here, when its whole process id namespace is empty, so that a "kill" can never meet a
 * process id that has been given to another.
 *
 * Trust. Requests come from the server and are believed, but for their length. Nothing of a sandbox's user is read here.
 */

#define _GNU_SOURCE
#include "launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_REQUEST_BYTES = 64 * 1024, MAX_SANDBOXES = 4096, MAX_WORDS = 512, MAX_TOKEN = 64 };

struct started {
    pid_t pid; /* 0 when the place is free */
    struct outside outside;
    char token[MAX_TOKEN];
    struct cgroups cgroups;
};

static struct started sandboxes[MAX_SANDBOXES];
static struct sockaddr_un server = {.sun_family = AF_UNIX};
static uid_t own_user;
static gid_t own_group;

_Noreturn void die(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vdprintf(STDERR_FILENO, format, values);
    va_end(values);
    _exit(1);
}

/* ---- requests: words, each ended by NUL */

struct request {
    char **words;
    size_t count;
    size_t next;
};

static char *next_word(struct request *request)
{
    if (request->next == request->count)
        die("launcher: a request has too few words\n");
    return request->words[request->next++];
}

static size_t next_number(struct request *request)
{
    return (size_t)strtoul(next_word(request), NULL, 10);
}

/* A connection whose first line is the token; below 0 when there is none. */
static int connect_to_server(const char *token)
{
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection < 0)
        return -1;
    if (connect(connection, (const struct sockaddr *)&server, sizeof server) == 0 &&
        dprintf(connection, "%s\n", token) > 0)
        return connection;
    int reason = errno;
    close(connection);
    errno = reason;
    return -1;
}

static void not_started(const char *token, const char *what, const char *reason)
{
    dprintf(STDOUT_FILENO, "failed %s the launcher can't %s: %s\n", token, what, reason);
}

/* The next number, of which the request has so many more. */
static size_t next_count(struct request *request, size_t most)
{
    size_t count = next_number(request);
    if (count > most)
        die("launcher: a request with %zu of something, of which there are at most %zu\n", count, most);
    return count;
}

/* Folders of cgroups, and the texts to be written to files in them. NULL, or the path that failed, with errno. */
static const char *make_cgroups(struct request *request, struct cgroups *cgroups, struct sandbox *sandbox)
{
    for (size_t left = next_count(request, MAX_CGROUPS); left > 0; left -= 1) {
        const char *path = next_word(request);
        if (!cgroups_add(cgroups, path))
            return path;
        int joined = cgroups_open_joining(cgroups);
        if (joined < 0)
            return path;
        sandbox->joined[sandbox->joined_count++] = joined;
    }
    for (size_t left = next_count(request, MAX_WORDS); left > 0; left -= 1) {
        const char *path = next_word(request);
        if (!cgroups_write(cgroups, path, next_word(request)))
            return path;
    }
    cgroups_count_kills_in(cgroups, next_word(request));
    return NULL;
}

/*
 * Does what the rest of a request says: user id or "-", "-" or the four words of its network, cgroups to make, files in them
 * to write, where kills are counted or "-", files to open, each with its mode (r, or w, which also reads), command. NULL, or
 * the path that failed, with errno.
 */
static const char *prepare(struct request *request, struct cgroups *cgroups, struct sandbox *sandbox)
{
    const char *user = next_word(request);
    sandbox->user = strcmp(user, "-") == 0 ? own_user : (uid_t)strtoul(user, NULL, 10);
    sandbox->group = strcmp(user, "-") == 0 ? own_group : (gid_t)sandbox->user;
    char *nft = next_word(request);
    if (strcmp(nft, "-") != 0) {
        sandbox->network.nft = nft;
        sandbox->network.relay = next_word(request);
        sandbox->network.range = next_word(request);
        sandbox->network.rules = next_word(request);
    }
    const char *failed = make_cgroups(request, cgroups, sandbox);
    if (failed != NULL)
        return failed;
    for (size_t left = next_count(request, MAX_OPENED); left > 0; left -= 1) {
        const char *mode = next_word(request);
        const char *path = next_word(request);
        int fd = cgroups_open(cgroups, path, mode[0] == 'w' ? O_RDWR : O_RDONLY);
        if (fd < 0)
            return path;
        sandbox->opened[sandbox->opened_count++] = fd;
    }
    sandbox->command = &request->words[request->next];
    return NULL;
}

static void close_sandbox(const struct sandbox *sandbox)
{
    for (size_t i = 0; i < sandbox->joined_count; i += 1)
        close(sandbox->joined[i]);
    for (size_t i = 0; i < sandbox->opened_count; i += 1)
        close(sandbox->opened[i]);
    close(sandbox->connection);
}

/* Tells that there is nothing of the sandbox any more; false when nobody listens. */
static bool tell_end(const char *token, struct cgroups *cgroups)
{
    size_t left;
    unsigned long killed = cgroups_remove(cgroups, &left);
    return dprintf(STDOUT_FILENO, "ended %s %lu %zu\n", token, killed, left) > 0;
}

static void start(struct request *request)
{
    const char *token = next_word(request);
    if (strlen(token) >= MAX_TOKEN)
        die("launcher: a token of %zu bytes\n", strlen(token));
    struct started *place = sandboxes;
    while (place < sandboxes + MAX_SANDBOXES && place->pid != 0)
        place += 1;
    if (place == sandboxes + MAX_SANDBOXES) {
        not_started(token, "start a sandbox", "there are too many");
        return;
    }
    struct sandbox sandbox = {.connection = connect_to_server(token)};
    if (sandbox.connection < 0) {
        not_started(token, "reach the server", strerror(errno));
        return;
    }
    const char *failed = prepare(request, &place->cgroups, &sandbox);
    pid_t pid = failed == NULL ? sandbox_start(&sandbox, &place->outside) : -1;
    if (pid > 0) {
        place->pid = pid;
        strcpy(place->token, token);
    } else {
        dprintf(sandbox.connection, "launcher: %s: %s\n", failed == NULL ? "fork" : failed, strerror(errno));
        tell_end(token, &place->cgroups);
    }
    cgroups_close(&place->cgroups);
    close_sandbox(&sandbox);
}

static void end(const char *token)
{
    for (struct started *place = sandboxes; place < sandboxes + MAX_SANDBOXES; place += 1)
        if (place->pid != 0 && strcmp(place->token, token) == 0)
            kill(place->pid, SIGKILL);
}

static void handle_request(char *bytes, size_t length)
{
    char *words[MAX_WORDS + 1];
    struct request request = {.words = words};
    for (char *word = bytes; word < bytes + length; word += strlen(word) + 1) {
        if (request.count == MAX_WORDS)
            die("launcher: a request has more than %d words\n", MAX_WORDS);
        words[request.count++] = word;
    }
    words[request.count] = NULL;
    const char *verb = next_word(&request);
    if (request.next == request.count)
        die("launcher: a request has no token\n");
    if (strcmp(verb, "start") == 0)
        start(&request);
    else if (strcmp(verb, "kill") == 0)
        end(next_word(&request));
    else
        die("launcher: unknown request\n");
}

/* Reads what the server has sent and handles each request that is whole: its length as u32, little-endian, and its words. */
static void read_requests(void)
{
    static char buffer[4 + MAX_REQUEST_BYTES + 1];
    static size_t held;
    ssize_t got = read(STDIN_FILENO, buffer + held, sizeof buffer - 1 - held);
    if (got == 0)
        _exit(0);
    if (got < 0 && errno != EINTR && errno != EAGAIN)
        die("launcher: read: %s\n", strerror(errno));
    held += got > 0 ? (size_t)got : 0;
    while (held >= 4) {
        const uint8_t *header = (const uint8_t *)buffer;
        size_t length = (size_t)header[0] | (size_t)header[1] << 8 | (size_t)header[2] << 16 | (size_t)header[3] << 24;
        if (length == 0 || length > MAX_REQUEST_BYTES)
            die("launcher: a request of %zu bytes\n", length);
        if (held < 4 + length)
            return;
        if (buffer[4 + length - 1] != '\0')
            die("launcher: a request does not end with its last word\n");
        handle_request(buffer + 4, length);
        held -= 4 + length;
        memmove(buffer, buffer + 4 + length, held);
    }
}

static void reap(int signals)
{
    struct signalfd_siginfo ignored[16];
    while (read(signals, ignored, sizeof ignored) > 0)
        continue;
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
        for (struct started *place = sandboxes; place < sandboxes + MAX_SANDBOXES; place += 1) {
            if (place->outside.relay == pid)
                place->outside.relay = 0;
            if (place->pid == pid) {
                place->pid = 0;
                if (place->outside.relay > 0)
                    kill(place->outside.relay, SIGKILL);
                if (place->outside.has_netns)
                    netns_give_back(&place->outside.netns);
                if (!tell_end(place->token, &place->cgroups))
                    _exit(0);
                break;
            }
        }
}

static void write_own(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, text, strlen(text)) < 0)
        die("launcher: write %s: %s\n", path, strerror(errno));
    close(fd);
}

/* Maps an id to itself, and no other. */
static void map_own(const char *path, unsigned int id)
{
    char text[32];
    snprintf(text, sizeof text, "%u %u 1", id, id);
    write_own(path, text);
}

/* Takes every number that a child may need, so that what is opened later has none of them (FIRST_OWN). */
static void reserve_descriptors(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    while (fd >= 0 && fd < FIRST_OWN - 1)
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0)
        die("launcher: reserve descriptors: %s\n", strerror(errno));
}

/* The right to make mounts and namespaces: root has it, and in a user namespace of their own anyone has. */
static void become_able(void)
{
    own_user = geteuid();
    own_group = getegid();
    if (own_user == 0) {
        if (setgroups(0, NULL) != 0)
            die("launcher: setgroups: %s\n", strerror(errno));
        netns_allow_reuse();
        return;
    }
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
        die("launcher: begin a user namespace: %s\n", strerror(errno));
    write_own("/proc/self/setgroups", "deny");
    map_own("/proc/self/uid_map", own_user);
    map_own("/proc/self/gid_map", own_group);
}

int main(int count, char **arguments)
{
    if (count < 3 || count % 3 != 0 || strlen(arguments[1]) >= sizeof server.sun_path)
        die("launcher: usage: SOCKET ROOT [folder|device SOURCE TARGET]..., a socket's path shorter than %zu bytes\n",
            sizeof server.sun_path);
    strcpy(server.sun_path, arguments[1]);
    pid_t parent = getppid();
    reserve_descriptors();
    become_able();
    tree_make(arguments[2], arguments + 3, (size_t)(count - 3) / 3);
    sigset_t taken;
    sigemptyset(&taken);
    sigaddset(&taken, SIGCHLD);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGINT, &ignore, NULL);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || sigprocmask(SIG_SETMASK, &taken, NULL) != 0)
        die("launcher: %s\n", strerror(errno));
    int signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0 || getppid() != parent)
        die("launcher: it cannot follow the server\n");
    for (;;) {
        struct pollfd watched[] = {{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
        if (poll(watched, 2, -1) < 0 && errno != EINTR)
            die("launcher: poll: %s\n", strerror(errno));
        if (watched[1].revents != 0)
            reap(signals);
        if (watched[0].revents != 0)
            read_requests();
    }
}
