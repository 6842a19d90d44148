# tries: arguments and variables that execve can't take
# outcomes: [succeeded]
# stdout: "E2BIG\n"
# limits: { wall_ms: 8000 }
big=$(head -c 3000000 /dev/zero | tr '\0' x)
export big
env >/dev/null 2>&1 || echo E2BIG
