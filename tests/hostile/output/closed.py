# tries: a life without any descriptor
# outcomes: [succeeded]
# stdout: ""
# limits: { wall_ms: 5000 }
import os, time

for fd in range(3):
    os.close(fd)
time.sleep(0.2)
os._exit(0)
