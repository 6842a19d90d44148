// tries: its input as a header, which never ends
// outcomes: [succeeded, compile_failed, output_limit, memory_limit, time_limit, cpu_limit]
// limits: { compile_wall_ms: 3000, compile_memory_bytes: 134217728, output_bytes: 20000 }
#include </dev/stdin>
#include "/dev/stdin"

int main(void)
{
}
