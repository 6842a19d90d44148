# tries: filling the table of processes with dead ones that it never waits for
# outcomes: [process_limit]
# limit: processes
# exit_code: 0
# stdout: "EAGAIN\n"
# limits: { processes: 32, wall_ms: 4000 }
# elsewhere:
#   gvisor: { outcomes: [process_limit, succeeded], reason: gVisor tells nobody that it refused a process }
import errno, os

try:
    while True:
        if os.fork() == 0:
            os._exit(0)
except OSError as error:
    print(errno.errorcode[error.errno])
