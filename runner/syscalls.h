#ifndef SYSCALLS_H
#define SYSCALLS_H

/* Which system calls the filter of seccomp.c refuses whatever their arguments are. */

#include <stdint.h>
#include <sys/syscall.h>

/* Numbers that are the same on every architecture, for headers that are older than the call. */
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif
#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_quotactl_fd
#define SYS_quotactl_fd 443
#endif
#ifndef SYS_open_tree_attr
#define SYS_open_tree_attr 467
#endif

/* Answered as by a kernel that has never had them, so that libraries take their older way. */
static const uint32_t missing_calls[] = {
    SYS_clone3, /* its flags are in memory, where a filter cannot look */
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register,
    SYS_mq_open, /* what it makes would outlive its processes; where limits hold it is refused all the same */
};

static const uint32_t refused_calls[] = {
    /* namespaces and mounts */
    SYS_unshare, SYS_setns, SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_open_tree, SYS_open_tree_attr,
    SYS_move_mount, SYS_fsopen, SYS_fsconfig, SYS_fsmount, SYS_fspick, SYS_mount_setattr,
    /* other processes' memory and descriptors */
    SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_process_madvise, SYS_pidfd_getfd, SYS_kcmp,
    SYS_migrate_pages,
    /* parts of the kernel that have often had holes */
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_add_key, SYS_request_key, SYS_keyctl, SYS_fanotify_init,
    SYS_fanotify_mark,
    /* files past their folders */
    SYS_name_to_handle_at, SYS_open_by_handle_at,
    /* the machine itself */
    SYS_init_module, SYS_finit_module, SYS_delete_module, SYS_kexec_load, SYS_swapon, SYS_swapoff, SYS_reboot,
    SYS_quotactl, SYS_quotactl_fd, SYS_acct, SYS_syslog, SYS_vhangup, SYS_settimeofday, SYS_clock_settime,
    SYS_clock_adjtime, SYS_adjtimex, SYS_sethostname, SYS_setdomainname,
#ifdef SYS_kexec_file_load
    SYS_kexec_file_load,
#endif
#ifdef SYS_iopl
    SYS_iopl, SYS_ioperm,
#endif
#ifdef SYS_modify_ldt
    SYS_modify_ldt,
#endif
#ifdef SYS_uselib
    SYS_uselib, SYS_ustat, SYS_sysfs, SYS_create_module, SYS__sysctl,
#endif
};

#endif
