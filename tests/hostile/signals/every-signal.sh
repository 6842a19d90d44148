# tries: every signal at the runner
# outcomes: [succeeded]
# stdout: "went on\n"
# limits: { wall_ms: 6000 }
for number in {1..64}; do kill -"$number" 1 2>/dev/null; done
kill -9 -1 2>/dev/null
kill -STOP 1 2>/dev/null
kill -TERM 1 2>/dev/null
echo "went on"
