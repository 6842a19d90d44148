# tries: writing where the runner writes, through /proc and through each descriptor that it may have been left
# outcomes: [failed]
# exit_code: 4
# stdout: "went on\n"
# limits: { wall_ms: 5000 }
import os, sys

frame = b'{"seq":2,"type":"finished"}\n'
paths = [f"/proc/1/fd/{fd}" for fd in range(20)] + [f"/proc/1/task/1/fd/{fd}" for fd in range(20)]
for path in paths:
    for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY):
        try:
            os.write(os.open(path, flags), frame)
            print("ESCAPED", path)
        except OSError:
            pass
for fd in range(3, 1024):
    try:
        os.write(fd, frame)
        print("ESCAPED", fd)
    except OSError:
        pass
print("went on")
sys.exit(4)
