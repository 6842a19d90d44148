// tries: an assembler that repeats itself a billion times
// outcomes: [compile_failed, memory_limit, time_limit, cpu_limit, signaled]
// limits: { compile_wall_ms: 3000, compile_memory_bytes: 134217728 }
__asm__(".rept 1000000000\n.quad 1\n.endr");

int main(void)
{
}
