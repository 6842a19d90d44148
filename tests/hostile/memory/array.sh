# tries: a variable that doubles
# outcomes: [memory_limit, failed]
# limits: { memory_bytes: 33554432, wall_ms: 8000 }
text=x
while :; do text=$text$text; done
