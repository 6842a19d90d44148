// tries: an endless file as data of its program
// outcomes: [compile_failed, memory_limit, time_limit, cpu_limit]
// limits: { compile_wall_ms: 3000, compile_memory_bytes: 134217728 }
__asm__(".incbin \"/dev/zero\"");

int main(void)
{
}
