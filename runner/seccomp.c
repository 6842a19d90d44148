#include "runner.h"

#include <asm/sockios.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * The filter for system calls. What is not named is allowed, and what is refused is refused with an errno, since a
 * program can handle that. Calls without a rule on their arguments cost nothing: the kernel knows them by number, for it
 * runs the filter once for each number when it is put on (seccomp_cache_prepare in kernel/seccomp.c). So that this takes
 * microseconds, a call's rule is looked up in a tree.
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

enum { FILTER_MAX = 512, RULES_MAX = 128, RULES_IN_LEAF = 12 };

/* The process id of the runner, as the program's calls would name it. */
enum { RUNNER_PID = 1 };

#ifndef F_SETOWN_EX
#define F_SETOWN_EX 15
#endif
#ifndef MFD_HUGETLB
#define MFD_HUGETLB 4u
#endif
enum { SHM_HUGETLB_FLAG = 04000, IOPRIO_WHO_PROCESS_FLAG = 1 };

struct filter {
    struct sock_filter instructions[FILTER_MAX];
    unsigned short length;
};

/* They differ in whether forks are allowed or asked for. */
static struct filter allowing_filter;
static struct filter asking_filter;
static struct filter *built;

/* What is done about one call: instructions that jump nowhere else and end in an answer. */
struct rule {
    uint32_t call;
    unsigned short first; /* in the instructions of all rules */
    unsigned short length;
};

static struct filter all_rules;
static struct rule rules[RULES_MAX];
static size_t rule_count;

static void emit(unsigned int code, uint32_t operand, uint8_t when_true, uint8_t when_false)
{
    if (built->length == FILTER_MAX)
        die("seccomp: the filter is longer than %d instructions", FILTER_MAX);
    built->instructions[built->length++] = (struct sock_filter){(uint16_t)code, when_true, when_false, operand};
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

/* What is emitted next, up to the next rule, is about this call. */
static void begin_rule(uint32_t call)
{
    if (rule_count == RULES_MAX)
        die("seccomp: there are more than %d rules", RULES_MAX);
    rules[rule_count++] = (struct rule){.call = call, .first = built->length};
}

static void refuse(uint32_t call, int error)
{
    begin_rule(call);
    answer(error);
}

static void ask(void)
{
    emit(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF, 0, 0);
}

static void ask_for(uint32_t call)
{
    begin_rule(call);
    ask();
}

static void refuse_flags(uint32_t call, int argument, uint32_t flags)
{
    begin_rule(call);
    load_argument(argument);
    emit(BPF_JMP | BPF_JSET | BPF_K, flags, 0, 1);
    answer(EPERM);
    answer(0);
}

static void refuse_when(uint32_t call, int argument, uint32_t value)
{
    begin_rule(call);
    load_argument(argument);
    emit(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    answer(EPERM);
    answer(0);
}

static void refuse_unless(uint32_t call, int argument, uint32_t value, int error)
{
    begin_rule(call);
    load_argument(argument);
    emit(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0);
    answer(error);
    answer(0);
}

/* Priorities: of one process that is not the runner. A group or a user may include the runner. */
static void refuse_priority(uint32_t call, uint32_t of_process)
{
    begin_rule(call);
    load_argument(0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, of_process, 0, 2);
    load_argument(1);
    emit(BPF_JMP | BPF_JEQ | BPF_K, RUNNER_PID, 0, 1);
    answer(EPERM);
    answer(0);
}

/* Who gets a signal when a file is ready: never the runner, nor its process group, nor one that only memory names. */
static void refuse_owners(void)
{
    begin_rule(SYS_fcntl);
    load_argument(1);
    emit(BPF_JMP | BPF_JEQ | BPF_K, F_SETOWN_EX, 4, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, F_SETOWN, 0, 4);
    load_argument(2);
    emit(BPF_JMP | BPF_JEQ | BPF_K, RUNNER_PID, 1, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)-RUNNER_PID, 0, 1);
    answer(EPERM);
    answer(0);

    begin_rule(SYS_ioctl);
    load_argument(1);
    emit(BPF_JMP | BPF_JEQ | BPF_K, FIOSETOWN, 1, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, SIOCSPGRP, 0, 1);
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

/* Every way to a process or a thread, now that clone3 is missing. */
static void check_forks(void)
{
    static const uint32_t namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |
                                       CLONE_NEWPID | CLONE_NEWNET;
    begin_rule(SYS_clone);
    load_argument(0);
    emit(BPF_JMP | BPF_JSET | BPF_K, namespaces, 0, 1);
    answer(EPERM);
    ask();
#ifdef SYS_fork
    ask_for(SYS_fork);
    ask_for(SYS_vfork);
#endif
}

/* Instructions of what checks sockets of one family. */
enum { INTERNET_LENGTH = 11 };

/*
 * Sockets of one family by TCP or UDP and nothing else: the other protocols are code of the kernel that hardly anyone uses,
 * some of it loaded when the first socket asks for it.
 */
static void allow_internet(uint32_t family)
{
    static const uint32_t kind_bits = 0xf; /* the others are SOCK_CLOEXEC and SOCK_NONBLOCK */
    emit(BPF_JMP | BPF_JEQ | BPF_K, family, 0, INTERNET_LENGTH - 1);
    load_argument(1);
    emit(BPF_ALU | BPF_AND | BPF_K, kind_bits, 0, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 1, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, SOCK_DGRAM, 0, 4);
    load_argument(2);
    emit(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_IP, 3, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 2, 0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0);
    answer(EACCES);
    answer(0);
}

/* What sockets there are where the network is on: also those by which a C library learns the addresses of the machine. */
static void check_sockets(void)
{
    begin_rule(SYS_socket);
    load_argument(0);
    emit(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, 1);
    answer(0);
    allow_internet(AF_INET);
    allow_internet(AF_INET6);
    emit(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 3);
    load_argument(2);
    emit(BPF_JMP | BPF_JEQ | BPF_K, NETLINK_ROUTE, 0, 1);
    answer(0);
    answer(EACCES);
}

static void check_arguments(bool network)
{
    /* Pages of the machine's huge page pool belong to no memory cgroup. */
    refuse_flags(SYS_mmap, 3, MAP_HUGETLB);
    refuse_flags(SYS_memfd_create, 1, MFD_HUGETLB);
    refuse_flags(SYS_shmget, 2, SHM_HUGETLB_FLAG);

    /* Program and runner share a user id, so these would reach the runner; in gVisor a signal may end it. */
    refuse_unless(SYS_prlimit64, 0, 0, EPERM);
    refuse_when(SYS_sched_setaffinity, 0, RUNNER_PID);
    refuse_when(SYS_sched_setattr, 0, RUNNER_PID);
    refuse_when(SYS_sched_setparam, 0, RUNNER_PID);
    refuse_when(SYS_sched_setscheduler, 0, RUNNER_PID);
    refuse_owners();
    refuse_when(SYS_kill, 0, RUNNER_PID);
    refuse_when(SYS_tkill, 0, RUNNER_PID);
    refuse_when(SYS_tgkill, 0, RUNNER_PID);
    refuse_when(SYS_rt_sigqueueinfo, 0, RUNNER_PID);
    refuse_when(SYS_rt_tgsigqueueinfo, 0, RUNNER_PID);
    refuse_priority(SYS_setpriority, PRIO_PROCESS);
    refuse_priority(SYS_ioprio_set, IOPRIO_WHO_PROCESS_FLAG);

    if (network)
        check_sockets();
    else
        refuse_unless(SYS_socket, 0, AF_UNIX, EACCES);
    refuse_unless(SYS_socketpair, 0, AF_UNIX, EACCES);
}

static void close_rules(void)
{
    for (size_t i = 0; i < rule_count; i += 1) {
        unsigned short end = i + 1 < rule_count ? rules[i + 1].first : all_rules.length;
        rules[i].length = (unsigned short)(end - rules[i].first);
    }
}

/* By call, by insertion: for so few it takes a tenth of what qsort(3) does. */
static void sort_rules(void)
{
    for (size_t i = 1; i < rule_count; i += 1) {
        struct rule rule = rules[i];
        size_t at = i;
        for (; at > 0 && rules[at - 1].call > rule.call; at -= 1)
            rules[at] = rules[at - 1];
        if (at > 0 && rules[at - 1].call == rule.call)
            die("seccomp: there are two rules for call %u", rule.call);
        rules[at] = rule;
    }
}

static void make_rules(bool network)
{
    built = &all_rules;
    all_rules.length = 0;
    rule_count = 0;
    for (size_t i = 0; i < sizeof missing_calls / sizeof missing_calls[0]; i += 1)
        refuse(missing_calls[i], ENOSYS);
    for (size_t i = 0; i < sizeof refused_calls / sizeof refused_calls[0]; i += 1)
        refuse(refused_calls[i], EPERM);
    check_forks();
    check_arguments(network);
    close_rules();
    sort_rules();
}

static void emit_leaf(const struct rule *first, size_t count)
{
    for (const struct rule *rule = first; rule < first + count; rule += 1) {
        emit(BPF_JMP | BPF_JEQ | BPF_K, rule->call, 0, (uint8_t)rule->length);
        for (unsigned short i = 0; i < rule->length; i += 1) {
            const struct sock_filter *copied = &all_rules.instructions[rule->first + i];
            emit(copied->code, copied->k, copied->jt, copied->jf);
        }
    }
    answer(0);
}

/* The rules below the middle, behind a jump over them. */
static void emit_tree(const struct rule *first, size_t count)
{
    if (count <= RULES_IN_LEAF) {
        emit_leaf(first, count);
        return;
    }
    size_t lower = count / 2;
    uint32_t middle = first[lower].call;
    unsigned short from = built->length;
    /* A condition jumps over 255 instructions at most, and an unconditional jump over any number. */
    emit(BPF_JMP | BPF_JGE | BPF_K, middle, 0, 1);
    emit(BPF_JMP | BPF_JA, 0, 0, 0);
    emit_tree(first, lower);
    built->instructions[from + 1].k = (uint32_t)(built->length - from - 2);
    emit_tree(first + lower, count - lower);
}

/* The same with forks allowed. */
static void allow_forks(struct filter *filter)
{
    for (struct sock_filter *at = filter->instructions; at < filter->instructions + filter->length; at += 1)
        if (at->code == (BPF_RET | BPF_K) && at->k == SECCOMP_RET_USER_NOTIF)
            at->k = SECCOMP_RET_ALLOW;
}

void seccomp_build(bool network)
{
    make_rules(network);
    built = &asking_filter;
    built->length = 0;
    check_architecture();
    emit_tree(rules, rule_count);
    allowing_filter = asking_filter;
    allow_forks(&allowing_filter);
}

static int apply(const struct filter *filter, unsigned int flags)
{
    struct sock_filter *instructions = (struct sock_filter *)(uintptr_t)filter->instructions;
    struct sock_fprog program = {.len = filter->length, .filter = instructions};
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

/*
 * Puts the filter on. Unless `listener` is NULL, it becomes the descriptor through which forks are asked for, or -1
 * where they are allowed unasked: a process has one such descriptor at most, and a container runtime may have taken it.
 */
int seccomp_apply(int *listener)
{
    if (listener != NULL) {
        *listener = apply(&asking_filter, SECCOMP_FILTER_FLAG_NEW_LISTENER);
        if (*listener >= 0)
            return 0;
    }
    return apply(&allowing_filter, 0) == 0 ? 0 : errno;
}
