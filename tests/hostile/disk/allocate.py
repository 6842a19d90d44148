# tries: reserving more disk than there is, in every way that there is
# outcomes: [succeeded]
# stdout: "(EFBIG|ENOSPC) (EFBIG|ENOSPC) (EFBIG|EINVAL|ENOSPC)\n"
# limits: { work_bytes: 1048576, file_bytes: 2097152, wall_ms: 5000 }
import errno, os

def attempt(call):
    try:
        call()
        return "ESCAPED"
    except OSError as error:
        return errno.errorcode[error.errno]

file = os.open("/tmp/big", os.O_RDWR | os.O_CREAT)
print(
    attempt(lambda: os.posix_fallocate(file, 0, 1 << 40)),
    attempt(lambda: os.posix_fallocate(file, 0, 1 << 21)),
    attempt(lambda: os.pwrite(file, b"x", 1 << 62)),
)
