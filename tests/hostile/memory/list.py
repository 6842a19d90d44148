# tries: a list that grows without end
# outcomes: [memory_limit]
# limit: memory
# limits: { memory_bytes: 50331648, wall_ms: 8000 }
hoard = []
while True:
    hoard.append(bytearray(1 << 20))
