// tries: calling itself without end
// outcomes: [signaled]
// signal: SIGSEGV
// limits: { wall_ms: 5000 }
__attribute__((noinline)) static long deeper(volatile long depth)
{
    volatile char frame[1024];
    frame[0] = (char)depth;
    return deeper(depth + 1) + frame[0];
}

int main(void)
{
    return (int)deeper(0);
}
