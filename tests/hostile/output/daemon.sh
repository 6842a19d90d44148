# tries: keeping the run open by a daemon that holds its output
# outcomes: [succeeded]
# stdout: "done\n"
# limits: { wall_ms: 20000 }
(trap '' TERM HUP; setsid sleep 1000 &)
echo done
