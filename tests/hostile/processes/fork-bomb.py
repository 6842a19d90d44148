# tries: doubling itself for ever
# outcomes: [process_limit]
# limit: processes
# limits: { processes: 32, wall_ms: 1000 }
import os

while True:
    try:
        os.fork()
    except OSError:
        pass
