# tries: outlasting its time by ignoring every signal
# outcomes: [time_limit]
# limit: wall
# limits: { wall_ms: 300 }
for number in {1..64}; do trap '' "$number" 2>/dev/null; done
while :; do sleep 1000; done
