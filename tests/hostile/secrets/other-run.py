# tries: another tenant's run, by its files, its shared memory, its socket and its processes
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { wall_ms: 6000 }
import ctypes, glob, os, socket

for folder in ("/tmp", "/dev/shm", "/work", "/var/tmp"):
    for name in os.listdir(folder) if os.path.isdir(folder) else []:
        if name != "main.py":
            print("ESCAPED", folder, name)
libc = ctypes.CDLL(None)
if libc.shmget(0x5EC12E7, 4096, 0) != -1:
    print("ESCAPED shared memory")
for kind in ("shm", "msg", "sem"):
    path = f"/proc/sysvipc/{kind}"
    if os.path.exists(path) and len(open(path).readlines()) > 1:
        print("ESCAPED", path)
for name in ("\0{{victim}}", "\0{{abstract}}"):
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(name)
        print("ESCAPED", name)
    except OSError:
        pass
if os.path.exists("/proc/net/unix"):
    for line in open("/proc/net/unix"):
        if "@" in line:
            print("ESCAPED", line)
own = {os.getpid(), os.getppid()}
for path in glob.glob("/proc/[0-9]*"):
    if int(path[6:]) not in own:
        print("ESCAPED", path)
print("went on")
