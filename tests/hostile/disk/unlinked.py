# tries: filling /work with files that have no name any more
# outcomes: [succeeded]
# stdout: "ENOSPC\n"
# limits: { work_bytes: 1048576, wall_ms: 5000 }
import errno, os

held = []
try:
    while True:
        file = os.open("x", os.O_WRONLY | os.O_CREAT)
        os.unlink("x")
        held.append(file)
        os.write(file, bytes(65536))
except OSError as error:
    print(errno.errorcode[error.errno])
