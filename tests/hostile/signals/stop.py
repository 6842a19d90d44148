# tries: stopping itself and whoever would continue it
# outcomes: [time_limit]
# limit: wall
# limits: { wall_ms: 300 }
import os, signal

try:
    os.kill(os.getppid(), signal.SIGSTOP)
except OSError:
    pass
os.kill(os.getpid(), signal.SIGSTOP)
