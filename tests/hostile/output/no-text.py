# tries: bytes that are no text, with a character cut in two at the limit
# outcomes: [output_limit]
# limit: output
# limits: { output_bytes: 1000, wall_ms: 5000 }
import os

os.write(1, b"\x00\xff\xfe\x1b[2J\xed\xa0\x80" + b"x" * 990 + "é".encode() * 10)
