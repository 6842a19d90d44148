# tries: the fork bomb of two pipes
# outcomes: [process_limit]
# limit: processes
# limits: { processes: 32, wall_ms: 1000 }
bomb() { bomb | bomb & }
bomb
while :; do :; done
