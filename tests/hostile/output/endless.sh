# tries: output without end
# outcomes: [output_limit]
# limit: output
# limits: { output_bytes: 10000, wall_ms: 5000 }
yes
