# tries: memory that no process maps and no folder shows
# outcomes: [memory_limit]
# limit: memory
# limits: { memory_bytes: 50331648, file_bytes: 268435456, wall_ms: 8000 }
import os

files = [os.memfd_create(f"hidden-{number}") for number in range(8)]
for _ in range(40):
    for file in files:
        os.write(file, bytes(1 << 20))
