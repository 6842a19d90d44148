# tries: content in the attributes of files, which no size counts
# outcomes: [succeeded, memory_limit, signaled]
# limits: { work_bytes: 1048576, memory_bytes: 67108864, wall_ms: 5000 }
import os

written = 0
try:
    for number in range(3000):
        with open(f"/tmp/{number % 100}", "a"):
            os.setxattr(f"/tmp/{number % 100}", f"user.{number}", bytes(60000))
            written += 60000
except OSError as error:
    print(error.strerror)
print("went on" if written < 64 << 20 else "ESCAPED", written)
