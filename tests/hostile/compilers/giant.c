// tries: a program of four gigabytes
// outcomes: [compile_failed, memory_limit, time_limit, cpu_limit, signaled]
// limits: { compile_wall_ms: 4000, compile_memory_bytes: 134217728 }
char giant[(unsigned long)4 << 30] = {1};

int main(void)
{
    return giant[12345];
}
