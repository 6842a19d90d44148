# tries: errors without end
# outcomes: [output_limit]
# limit: output
# stdout: ""
# limits: { output_bytes: 10000, wall_ms: 5000 }
import sys

while True:
    sys.stderr.write("x" * 1000)
