// tries: including itself twice, at every depth
// outcomes: [compile_failed, memory_limit, time_limit, cpu_limit, output_limit]
// limits: { compile_wall_ms: 2000, compile_memory_bytes: 134217728, output_bytes: 50000 }
#include __FILE__
#include __FILE__
