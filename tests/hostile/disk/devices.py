# tries: the machine's disks and memory as devices, found or made
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { wall_ms: 5000 }
# elsewhere:
#   gvisor:
#     outcomes: [succeeded]
#     known: "ESCAPED /dev/(fuse|net/tun)\n"
#     reason: "these are gVisor's own, and are of use only to who may mount or has CAP_NET_ADMIN"
import os, stat

paths = ["/dev/mem", "/dev/kmem", "/dev/port", "/dev/kmsg", "/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/loop0",
         "/dev/loop-control", "/dev/fuse", "/dev/kvm", "/dev/net/tun", "/dev/userfaultfd", "/dev/mapper/control",
         "/dev/uinput", "/dev/vsock", "/dev/vhost-net", "/dev/cuse", "/dev/snapshot", "/dev/cpu/0/msr"]
for path in paths:
    try:
        os.close(os.open(path, os.O_RDONLY))
        print("ESCAPED", path)
    except OSError:
        pass
for kind, major, minor in [(stat.S_IFBLK, 8, 0), (stat.S_IFBLK, 254, 0), (stat.S_IFCHR, 1, 1), (stat.S_IFCHR, 10, 229)]:
    for folder in ["/tmp", "/work", "/dev/shm"]:
        try:
            os.mknod(f"{folder}/device", kind | 0o666, os.makedev(major, minor))
            print("ESCAPED", kind)
        except OSError:
            pass
print("went on")
