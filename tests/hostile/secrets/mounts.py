# tries: where the machine keeps the service, by what is mounted from where
# outcomes: [succeeded]
# stdout: ".*/proc/mounts.*"
# limits: { wall_ms: 5000 }
for path in ("/proc/self/mountinfo", "/proc/mounts", "/proc/1/mountinfo", "/proc/self/cgroup", "/proc/1/cgroup",
             "/proc/partitions", "/proc/swaps", "/proc/locks", "/proc/net/unix", "/proc/net/tcp", "/proc/net/route"):
    try:
        print(path, open(path).read())
    except OSError as error:
        print(path, error.strerror)
