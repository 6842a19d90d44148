/*
 * The launcher: starts sandboxes for the server of one machine, which is too large a process to fork itself often.
 *
 * Theory of operation
 *
 *   server ==fd 0==> launcher          requests: "start" and "kill"
 *   server <==fd 1== launcher          one line for each sandbox: "ended TOKEN", or "failed TOKEN REASON" without a start
 *   server <==unix socket== bubblewrap one connection for each sandbox, its fds 0, 1 and 2
 *
 * Processes. The launcher is one process without threads, started by the server with no arguments but the path of the
 * server's socket. For each "start" it connects to the server, tells it on the connection for which token, and forks a
 * child, which makes itself what the sandbox needs - membership in the sandbox's cgroups, the files that the runner reads
 * and writes there, a session and a user id of its own - and becomes bubblewrap. Whatever the child fails in is one line
 * of text on the connection, where the runner's frames would have come. Since the connection is older than the child,
 * the server finds it, with that line, also when it hears of the child's end first.
 *
 * Descriptors. 0, 1 and 2 are the server's. The signalfd is the launcher's. A child keeps its connection as 0, 1 and 2,
 * has the cgroup's files from 4 on, in the order of the request, and nothing else: all others close on exec.
 *
 * Ends. bubblewrap dies with the launcher (its --die-with-parent), and the launcher dies with the server: by the end of
 * fd 0, and by a signal from the kernel where the server was killed. A child is reaped only here, so that a "kill" can
 * never meet a process id that has been given to another.
 *
 * Trust. Requests come from the server and are believed, but for their length. Nothing of a sandbox's user is read here.
 */

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
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

enum { MAX_REQUEST_BYTES = 64 * 1024, MAX_SANDBOXES = 4096, MAX_WORDS = 512, MAX_TOKEN = 64, FIRST_FILE = 4 };

struct sandbox {
    pid_t pid; /* 0 when the place is free */
    char token[MAX_TOKEN];
};

static struct sandbox sandboxes[MAX_SANDBOXES];
static struct sockaddr_un server = {.sun_family = AF_UNIX};

static _Noreturn void die(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vdprintf(STDERR_FILENO, format, values);
    va_end(values);
    _exit(1);
}

/* ---- the child, between fork and bubblewrap */

static _Noreturn void child_failed(const char *what, const char *which)
{
    dprintf(STDOUT_FILENO, "launcher: %s %s: %s\n", what, which, strerror(errno));
    _exit(1);
}

static void take_as_standard_streams(int connection)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd += 1)
        if (dup2(connection, fd) < 0)
            _exit(1);
}

static void join_cgroup(const char *procs)
{
    int fd = open(procs, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "0", 1) != 1)
        child_failed("join the cgroup", procs);
    close(fd);
}

/* A file of the cgroup under the number that the runner was told; `mode` is r or w, where w also reads. */
static void open_file(const char *mode, const char *path, int number)
{
    int fd = open(path, (mode[0] == 'w' ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    if (fd < 0 || (fd == number ? fcntl(fd, F_SETFD, 0) : dup2(fd, number)) < 0)
        child_failed("open", path);
    if (fd != number)
        close(fd);
}

static void become_user(const char *id)
{
    uid_t user = (uid_t)strtoul(id, NULL, 10);
    if (setgroups(0, NULL) != 0 || setresgid(user, user, user) != 0 || setresuid(user, user, user) != 0)
        child_failed("become user", id);
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

/* user id or "-", number of cgroups and their cgroup.procs, number of files and for each mode and path, command */
static _Noreturn void child_main(struct request *request, int connection)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    take_as_standard_streams(connection);
    const char *user = next_word(request);
    for (size_t left = next_number(request); left > 0; left -= 1)
        join_cgroup(next_word(request));
    size_t files = next_number(request);
    for (size_t i = 0; i < files; i += 1) {
        const char *mode = next_word(request);
        open_file(mode, next_word(request), FIRST_FILE + (int)i);
    }
    if (setsid() < 0)
        child_failed("begin", "a session");
    if (chdir("/") != 0)
        child_failed("enter", "/");
    if (strcmp(user, "-") != 0)
        become_user(user);
    char **command = &request->words[request->next];
    char *environment[] = {NULL};
    execve(command[0], command, environment);
    child_failed("execute", command[0]);
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

static void start(struct request *request)
{
    const char *token = next_word(request);
    if (strlen(token) >= MAX_TOKEN)
        die("launcher: a token of %zu bytes\n", strlen(token));
    struct sandbox *place = sandboxes;
    while (place < sandboxes + MAX_SANDBOXES && place->pid != 0)
        place += 1;
    if (place == sandboxes + MAX_SANDBOXES) {
        not_started(token, "start a sandbox", "there are too many");
        return;
    }
    int connection = connect_to_server(token);
    if (connection < 0) {
        not_started(token, "reach the server", strerror(errno));
        return;
    }
    pid_t pid = fork();
    if (pid == 0)
        child_main(request, connection);
    if (pid < 0)
        not_started(token, "fork", strerror(errno));
    close(connection);
    if (pid < 0)
        return;
    place->pid = pid;
    strcpy(place->token, token);
}

static void end(const char *token)
{
    for (struct sandbox *place = sandboxes; place < sandboxes + MAX_SANDBOXES; place += 1)
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
        for (struct sandbox *place = sandboxes; place < sandboxes + MAX_SANDBOXES; place += 1)
            if (place->pid == pid) {
                place->pid = 0;
                if (dprintf(STDOUT_FILENO, "ended %s\n", place->token) < 0)
                    _exit(0);
                break;
            }
}

int main(int count, char **arguments)
{
    if (count != 2 || strlen(arguments[1]) >= sizeof server.sun_path)
        die("launcher: the path of the server's socket is wanted, shorter than %zu bytes\n", sizeof server.sun_path);
    strcpy(server.sun_path, arguments[1]);
    pid_t parent = getppid();
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
