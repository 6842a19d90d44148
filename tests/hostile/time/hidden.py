# tries: hiding time in children that nobody waits for
# outcomes: [cpu_limit]
# limit: cpu
# limits: { cpu_ms: 500, wall_ms: 10000, processes: 32 }
import os, signal, time

signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    if os.fork() == 0:
        if os.fork() == 0:
            end = time.process_time() + 0.05
            while time.process_time() < end:
                pass
        os._exit(0)
    try:
        os.wait()
    except ChildProcessError:
        pass
    time.sleep(0.02)
