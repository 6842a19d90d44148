# tries: doubling itself for ever
# outcomes: [process_limit]
# limit: processes
# limits: { processes: 32, wall_ms: 1000 }
# elsewhere:
#   gvisor: { outcomes: [process_limit, time_limit], reason: gVisor tells nobody that it refused a process }
import os

while True:
    try:
        os.fork()
    except OSError:
        pass
