# tries: many processes that are each below the limit, and together above it
# outcomes: [memory_limit]
# limit: memory
# limits: { memory_bytes: 67108864, wall_ms: 8000 }
import os, time

for _ in range(10):
    if os.fork() == 0:
        piece = bytearray(b"x") * (16 << 20)
        time.sleep(60)
time.sleep(60)
