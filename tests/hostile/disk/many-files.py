# tries: files until there are no inodes
# outcomes: [succeeded]
# stdout: "ENOSPC\n"
# limits: { work_inodes: 500, wall_ms: 4000 }
# elsewhere:
#   runc: &counted { outcomes: [signaled], limit: inodes, reason: "a Pod's tmpfs can't be told a bound, so the run ends" }
#   gvisor: { outcomes: [time_limit, signaled, memory_limit], reason: "gVisor counts no files; memory and time bound them" }
#   user-namespaces: *counted
import errno

number = 0
try:
    while True:
        open(f"/tmp/{number}", "x").close()
        number += 1
except OSError as error:
    print(errno.errorcode[error.errno])
