#include "runner.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The filter for system calls. What is not named is allowed, and what is refused is refused with an errno, since a
 * program can handle that. Calls without a rule on their arguments cost nothing: the kernel knows them by number.
 */

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
/* The first number of the x32 calls (__X32_SYSCALL_BIT). */
#define FIRST_FOREIGN_CALL 0x40000000u
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#define FIRST_FOREIGN_CALL 0x80000000u
#else
#error "the seccomp filter knows x86_64 and aarch64"
#endif

#include "syscalls.h"

enum { FILTER_MAX = 512 };

/* The process id of the runner, as the program's calls would name it. */
enum { RUNNER_PID = 1 };

#ifndef MFD_HUGETLB
#define MFD_HUGETLB 4u
#endif
enum { SHM_HUGETLB_FLAG = 04000, IOPRIO_WHO_PROCESS_FLAG = 1 };

static struct sock_filter filter[FILTER_MAX];
static unsigned short filter_length;

static void emit(unsigned int code, uint32_t operand, uint8_t when_true, uint8_t when_false)
{
    if (filter_length == FILTER_MAX)
        die("seccomp: the filter is longer than %d instructions", FILTER_MAX);
    filter[filter_length++] = (struct sock_filter){(uint16_t)code, when_true, when_false, operand};
}

static void answer(int error)
{
    emit(BPF_RET | BPF_K, error == 0 ? SECCOMP_RET_ALLOW : SECCOMP_RET_ERRNO | (uint32_t)error, 0, 0);
}

/* The low half of an argument: every argument that is looked at is an int or flags to the kernel. */
static void load_argument(int argument)
{
    emit(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(offsetof(struct seccomp_data, args) + (size_t)argument * 8), 0, 0);
}

static void refuse(uint32_t call, int error)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
    answer(error);
}

static void refuse_flags(uint32_t call, int argument, uint32_t flags)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
    load_argument(argument);
    emit(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1);
    answer(EPERM);
    answer(0);
}

static void refuse_when(uint32_t call, int argument, uint32_t value)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
    load_argument(argument);
    emit(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    answer(EPERM);
    answer(0);
}

static void refuse_unless(uint32_t call, int argument, uint32_t value, int error)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4);
    load_argument(argument);
    emit(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    answer(error);
    answer(0);
}

/* Priorities: of one process that is not the runner. A group or a user may include the runner. */
static void refuse_priority(uint32_t call, uint32_t of_process)
{
    emit(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 6);
    load_argument(0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, of_process, 0, 2);
    load_argument(1);
    emit(BPF_JMP | BPF_JEQ | BPF_K, RUNNER_PID, 0, 1);
    answer(EPERM);
    answer(0);
}

static void check_architecture(void)
{
    emit(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
    answer(ENOSYS);
    emit(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
    emit(BPF_JMP | BPF_JGE | BPF_K, FIRST_FOREIGN_CALL, 0, 1);
    answer(ENOSYS);
}

static void check_arguments(void)
{
    /* Pages of the machine's huge page pool belong to no memory cgroup. */
    refuse_flags(SYS_mmap, 3, MAP_HUGETLB);
    refuse_flags(SYS_memfd_create, 1, MFD_HUGETLB);
    refuse_flags(SYS_shmget, 2, SHM_HUGETLB_FLAG);

    refuse_flags(SYS_clone, 0,
                 CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
                     CLONE_NEWNET);

    /* Program and runner share a user id, so these would reach the runner. */
    refuse_unless(SYS_prlimit64, 0, 0, EPERM);
    refuse_when(SYS_sched_setaffinity, 0, RUNNER_PID);
    refuse_when(SYS_sched_setattr, 0, RUNNER_PID);
    refuse_when(SYS_sched_setparam, 0, RUNNER_PID);
    refuse_when(SYS_sched_setscheduler, 0, RUNNER_PID);
    refuse_priority(SYS_setpriority, PRIO_PROCESS);
    refuse_priority(SYS_ioprio_set, IOPRIO_WHO_PROCESS_FLAG);

    refuse_unless(SYS_socket, 0, AF_UNIX, EACCES);
    refuse_unless(SYS_socketpair, 0, AF_UNIX, EACCES);
}

void seccomp_build(void)
{
    check_architecture();
    for (size_t i = 0; i < sizeof missing_calls / sizeof missing_calls[0]; i += 1)
        refuse(missing_calls[i], ENOSYS);
    for (size_t i = 0; i < sizeof refused_calls / sizeof refused_calls[0]; i += 1)
        refuse(refused_calls[i], EPERM);
    check_arguments();
    answer(0);
}

int seccomp_apply(void)
{
    struct sock_fprog program = {.len = filter_length, .filter = filter};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0 ? 0 : errno;
}
