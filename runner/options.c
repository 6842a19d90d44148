#include "runner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char *const figure_options[OPTION_FIGURES] = {
    [CPU_USAGE] = "--cpu-usage-fd",         [MEMORY_PEAK] = "--memory-peak-fd",  [MEMORY_LIMIT] = "--memory-limit-fd",
    [MEMORY_EVENTS] = "--memory-events-fd", [PIDS_EVENTS] = "--pids-events-fd",  [CPU_WEIGHT] = "--cpu-weight-fd",
};

static int parse_number(const char *option, const char *text, int least, int most)
{
    if (text == NULL)
        die("%s needs a value", option);
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < least || value > most)
        die("%s needs a whole number from %d to %d", option, least, most);
    return (int)value;
}

static int parse_descriptor(const struct options *options, const char *option, const char *text)
{
    int fd = parse_number(option, text, 3, INT_MAX);
    for (int file = 0; file < OPTION_FIGURES; file += 1)
        if (options->figure_fd[file] == fd)
            die("%s names descriptor %d a second time", option, fd);
    if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
        die("%s: descriptor %d is not open", option, fd);
    return fd;
}

/* Reads the command line; `arguments` is argv without its first element. */
void options_parse(struct options *options, char **arguments)
{
    *options = (struct options){0};
    for (int file = 0; file < FIGURE_FILES; file += 1)
        options->figure_fd[file] = -1;
    while (*arguments != NULL) {
        const char *option = *arguments++;
        int file = 0;
        while (file < OPTION_FIGURES && strcmp(option, figure_options[file]) != 0)
            file += 1;
        if (file < OPTION_FIGURES) {
            if (options->cgroup_version == 0)
                die("%s comes after --cgroup", option);
            options->figure_fd[file] = parse_descriptor(options, option, *arguments);
            arguments += 1;
        } else if (strcmp(option, "--mounts") == 0) {
            options->mounts = true;
        } else if (strcmp(option, "--exit-on-hangup") == 0) {
            options->exit_on_hangup = true;
        } else if (strcmp(option, "--program-in-environment") == 0) {
            options->program_in_environment = true;
        } else if (strcmp(option, "--cgroup") == 0) {
            options->cgroup_version = parse_number(option, *arguments, 1, 2);
            arguments += 1;
        } else {
            die("unknown option %s", option);
        }
    }
    if (options->program_in_environment && options->exit_on_hangup)
        die("--exit-on-hangup needs the program from fd 0");
}
