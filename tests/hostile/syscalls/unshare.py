# tries: the language's own ways to another namespace, root and user
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { wall_ms: 5000 }
# elsewhere:
#   gvisor:
#     outcomes: [succeeded]
#     known: "ESCAPED nice\n"
#     reason: "gVisor keeps the number and schedules by nothing of it"
import ctypes, os

libc = ctypes.CDLL(None, use_errno=True)
for name, call in (
    ("chroot", lambda: os.chroot("/tmp")),
    ("setuid", lambda: os.setuid(0)),
    ("setgroups", lambda: os.setgroups([0])),
    ("mknod", lambda: os.mknod("/tmp/x", 0o60666, os.makedev(8, 0))),
    ("nice", lambda: os.nice(-10)),
    ("unshare", lambda: os.unshare(0x10000000) if hasattr(os, "unshare") else os.setgid(0)),
    ("sched_setscheduler", lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))),
    ("link", lambda: os.link("/etc/passwd", "/tmp/passwd")),
):
    try:
        call()
        print("ESCAPED", name)
    except OSError:
        pass
if libc.unshare(0x10000000) == 0 or libc.ptrace(16, os.getppid(), 0, 0) == 0:
    print("ESCAPED")
print("went on")
