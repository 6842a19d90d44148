# tries: taking its output back, and feeding itself
# outcomes: [failed]
# exit_code: 2
# stdout: "first\nlast\n|last\n"
# limits: { wall_ms: 5000 }
import os, sys

print("first", flush=True)
try:
    taken = os.open("/proc/self/fd/1", os.O_RDONLY | os.O_NONBLOCK)
    os.read(taken, 100)
except OSError:
    pass
try:
    os.write(os.open("/proc/self/fd/0", os.O_WRONLY | os.O_NONBLOCK), b"fed")
except OSError:
    pass
print("last", flush=True)
sys.exit(2)
