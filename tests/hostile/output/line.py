# tries: a line of a hundred megabytes
# outcomes: [output_limit]
# limit: output
# limits: { output_bytes: 100000, wall_ms: 5000 }
import os

piece = b"x" * (1 << 20)
for _ in range(100):
    os.write(1, piece)
