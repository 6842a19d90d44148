# tries: leaving daemons behind that have a session of their own and ignore every signal
# outcomes: [succeeded]
# stdout: "gone\n"
# limits: { processes: 64, wall_ms: 8000 }
import os, signal, time

for _ in range(20):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, signal.NSIG):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    pass
            os.chdir("/")
            while True:
                time.sleep(1000)
        os._exit(0)
print("gone")
