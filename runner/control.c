#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* What reaches the runner from outside: signals, the peer of fd 0, the reader of fd 1. */

static int signals_fd = -1;
static bool input_is_watched;

static void take_signals(void)
{
    sigset_t taken;
    sigemptyset(&taken);
    sigaddset(&taken, SIGCHLD);
    sigaddset(&taken, SIGTERM);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (sigprocmask(SIG_SETMASK, &taken, NULL) != 0 || sigaction(SIGPIPE, &ignore, NULL) != 0)
        die_errno("sigprocmask");
    signals_fd = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals_fd < 0)
        die_errno("signalfd");
}

void control_open(void)
{
    take_signals();
    set_nonblocking(STDOUT_FILENO);
}

/* From here on the end of fd 0 is not a program cut short but, where asked for, a peer that went away. */
void control_program_is_read(bool exit_on_hangup)
{
    input_is_watched = exit_on_hangup;
}

/* Fills the first WATCH_CONTROL places. */
void control_watch(struct pollfd *watched)
{
    watched[WATCH_SIGNALS] = (struct pollfd){.fd = signals_fd, .events = POLLIN};
    bool reads = interaction_is_active() ? interaction_wants_more() : input_is_watched;
    watched[WATCH_INPUT] = (struct pollfd){
        .fd = reads || input_is_watched ? STDIN_FILENO : -1, .events = reads ? POLLIN : 0};
    watched[WATCH_OUTPUT] = (struct pollfd){.fd = STDOUT_FILENO, .events = output_is_pending() ? POLLOUT : 0};
}

static void handle_signals(void)
{
    struct signalfd_siginfo signals[8];
    ssize_t length;
    while ((length = read(signals_fd, signals, sizeof signals)) > 0)
        for (size_t i = 0; i < (size_t)length / sizeof signals[0]; i += 1)
            /* A program can send SIGTERM too, but not as process 0: the kernel writes si_pid for SI_USER, and only
               senders outside of this process id namespace have none in it (pid_namespaces(7), rt_sigqueueinfo(2)),
               or those whose signal found the queue full, which child.c makes impossible. */
            if (signals[i].ssi_signo == SIGTERM && signals[i].ssi_code == SI_USER && signals[i].ssi_pid == 0)
                stop();
    if (length < 0 && errno != EAGAIN && errno != EINTR)
        die_errno("read signalfd");
}

/* False when nothing will come any more. */
static bool read_input(void)
{
    if (interaction_is_active())
        return interaction_read();
    char ignored[4096];
    ssize_t length = read(STDIN_FILENO, ignored, sizeof ignored);
    return length > 0 || (length < 0 && (errno == EAGAIN || errno == EINTR));
}

void control_handle(const struct pollfd *watched)
{
    if (watched[WATCH_SIGNALS].revents != 0)
        handle_signals();
    bool came = (watched[WATCH_INPUT].revents & POLLIN) != 0 || (watched[WATCH_INPUT].revents != 0 && !input_is_watched);
    if (came ? !read_input() && input_is_watched : watched[WATCH_INPUT].revents != 0)
        stop();
    if ((watched[WATCH_OUTPUT].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0)
        stop();
}

/* Waits until fd 1 takes more, and gives it that. */
void control_wait_for_reader(void)
{
    struct pollfd watched[WATCH_CONTROL];
    control_watch(watched);
    if (poll(watched, WATCH_CONTROL, -1) < 0 && errno != EINTR)
        die_errno("poll");
    control_handle(watched);
    output_flush();
}

/* As waitpid(2) for any child; `ending` tells of the stage's main process when it was that. */
pid_t reap(int options, pid_t main_process, struct ending *ending)
{
    int status;
    struct rusage used;
    pid_t ended = wait4(-1, &status, options, &used);
    if (ended > 0 && ended == main_process)
        *ending = (struct ending){.status = status, .resident_bytes = (uint64_t)used.ru_maxrss << 10};
    return ended;
}

/*
 * Kills every process of the sandbox but the runner, and reaps until there is none: as the init of its namespace the
 * runner becomes the parent of every orphan, so no child left means no process left (pid_namespaces(7)).
 */
void kill_and_reap_all(pid_t main_process, struct ending *ending)
{
    for (;;) {
        if (kill(-1, SIGKILL) != 0 && errno != ESRCH)
            die_errno("kill");
        pid_t ended = reap(0, main_process, ending);
        while (ended > 0)
            ended = reap(WNOHANG, main_process, ending);
        if (ended < 0 && errno == ECHILD)
            return;
        if (ended < 0 && errno != EINTR)
            die_errno("wait4");
    }
}

/* Ends the sandbox on a word from outside. With its init every process of a namespace is killed by the kernel. */
_Noreturn void stop(void)
{
    kill(-1, SIGKILL);
    _exit(EXIT_STOPPED);
}
