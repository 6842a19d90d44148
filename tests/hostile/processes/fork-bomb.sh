# tries: the fork bomb of two pipes
# outcomes: [process_limit]
# limit: processes
# limits: { processes: 32, wall_ms: 1000 }
# elsewhere:
#   gvisor: { outcomes: [process_limit, time_limit, cpu_limit], reason: gVisor tells nobody that it refused a process }
bomb() { bomb | bomb & }
bomb
while :; do :; done
