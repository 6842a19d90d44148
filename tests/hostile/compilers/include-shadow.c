// tries: a file of the machine as a header
// outcomes: [compile_failed, output_limit, memory_limit, time_limit, cpu_limit]
// limits: { compile_wall_ms: 3000, compile_memory_bytes: 134217728, output_bytes: 20000 }
#include </etc/shadow>
#include "/etc/shadow"

int main(void)
{
}
