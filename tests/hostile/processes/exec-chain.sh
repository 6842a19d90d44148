# tries: becoming itself again and again, so that there is never an end
# outcomes: [time_limit, cpu_limit]
# limits: { wall_ms: 600 }
exec bash "$0"
