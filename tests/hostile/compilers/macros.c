// tries: macros that multiply
// outcomes: [compile_failed, memory_limit, time_limit, cpu_limit]
// limits: { compile_wall_ms: 3000, compile_memory_bytes: 134217728 }
#define A(x) x x x x x x x x x x
#define B(x) A(A(x))
#define C(x) B(B(x))
#define D(x) C(C(x))

int main(void)
{
    volatile int count = 0;
    D(count = count + 1;)
}
