#include "runner.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

/* SIGRTMIN of glibc (signal(7)), which most programs count from; musl keeps one more for itself. */
enum { FIRST_REAL_TIME_SIGNAL = 34 };

#define NAME(constant)                                                                                                 \
    case constant:                                                                                                     \
        return #constant;

const char *error_name(int error)
{
    static char number[16];
    switch (error) {
        NAME(E2BIG)
        NAME(EACCES)
        NAME(EAGAIN)
        NAME(EBADF)
        NAME(EBUSY)
        NAME(EDQUOT)
        NAME(EEXIST)
        NAME(EFAULT)
        NAME(EFBIG)
        NAME(EINTR)
        NAME(EINVAL)
        NAME(EIO)
        NAME(EISDIR)
        NAME(ELIBBAD)
        NAME(ELOOP)
        NAME(EMFILE)
        NAME(EMLINK)
        NAME(ENAMETOOLONG)
        NAME(ENFILE)
        NAME(ENODEV)
        NAME(ENOENT)
        NAME(ENOEXEC)
        NAME(ENOMEM)
        NAME(ENOSPC)
        NAME(ENOSYS)
        NAME(ENOTDIR)
        NAME(ENXIO)
        NAME(EOPNOTSUPP)
        NAME(EPERM)
        NAME(EPIPE)
        NAME(EROFS)
        NAME(ESRCH)
        NAME(ETXTBSY)
    default:
        snprintf(number, sizeof number, "E%d", error);
        return number;
    }
}

const char *signal_name(int signal)
{
    static char number[20];
    switch (signal) {
        NAME(SIGHUP)
        NAME(SIGINT)
        NAME(SIGQUIT)
        NAME(SIGILL)
        NAME(SIGTRAP)
        NAME(SIGABRT)
        NAME(SIGBUS)
        NAME(SIGFPE)
        NAME(SIGKILL)
        NAME(SIGUSR1)
        NAME(SIGSEGV)
        NAME(SIGUSR2)
        NAME(SIGPIPE)
        NAME(SIGALRM)
        NAME(SIGTERM)
        NAME(SIGSTKFLT)
        NAME(SIGCHLD)
        NAME(SIGCONT)
        NAME(SIGSTOP)
        NAME(SIGTSTP)
        NAME(SIGTTIN)
        NAME(SIGTTOU)
        NAME(SIGURG)
        NAME(SIGXCPU)
        NAME(SIGXFSZ)
        NAME(SIGVTALRM)
        NAME(SIGPROF)
        NAME(SIGWINCH)
        NAME(SIGIO)
        NAME(SIGPWR)
        NAME(SIGSYS)
    default:
        if (signal >= FIRST_REAL_TIME_SIGNAL)
            snprintf(number, sizeof number, "SIGRTMIN+%d", signal - FIRST_REAL_TIME_SIGNAL);
        else
            snprintf(number, sizeof number, "SIG%d", signal);
        return number;
    }
}
