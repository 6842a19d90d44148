#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <termios.h>
#include <unistd.h>

/* A terminal for a stage: the runner holds one end of a pair, the stage's three descriptors are the other (pty(7)). */

/* What ioctl(2) takes in this C library. */
#ifdef __GLIBC__
typedef unsigned long request;
#else
typedef int request;
#endif

/* The terminals that a sandbox has at most: its own, and none for the program to make. */
static const char SETTINGS[] = "newinstance,max=1,mode=0600,ptmxmode=0600";

/* Mounts the sandbox's own terminals, where nobody else has done so. Needs CAP_SYS_ADMIN. */
void terminal_mount(void)
{
    if (mount("devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, SETTINGS) != 0)
        die_errno("mount /dev/pts");
}

static int open_pair(void)
{
    int ours = open("/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (ours < 0)
        ours = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (ours < 0)
        die_errno("open a terminal");
    if (ioctl(ours, TIOCSPTLCK, &(int){0}) != 0)
        die_errno("unlock a terminal");
    return ours;
}

/* gVisor has no TIOCGPTPEER; no program can put anything else where the name leads. */
static int open_peer(int ours)
{
    int theirs = ioctl(ours, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    unsigned int number;
    char path[32];
    if (theirs < 0 && ioctl(ours, (request)TIOCGPTN, &number) == 0) {
        snprintf(path, sizeof path, "/dev/pts/%u", number);
        theirs = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    }
    if (theirs < 0)
        die_errno("open a terminal's other end");
    return theirs;
}

void terminal_open(int *ours, int *theirs, struct terminal_size size)
{
    struct termios modes;
    *ours = open_pair();
    *theirs = open_peer(*ours);
    set_nonblocking(*ours);
    terminal_resize(*ours, size);
    /* Erasing takes away a whole character. */
    if (tcgetattr(*theirs, &modes) == 0) {
        modes.c_iflag |= IUTF8;
        tcsetattr(*theirs, TCSANOW, &modes);
    }
}

/* The kernel tells those in the foreground (SIGWINCH). */
void terminal_resize(int ours, struct terminal_size size)
{
    struct winsize both = {.ws_col = size.columns, .ws_row = size.rows};
    if (ioctl(ours, TIOCSWINSZ, &both) != 0 && errno != EIO)
        die_errno("resize a terminal");
}

/* The process group that reads the terminal, or 0 when none does. */
pid_t terminal_foreground(int ours)
{
    pid_t group = 0;
    return ioctl(ours, TIOCGPGRP, &group) == 0 && group > 1 ? group : 0;
}
