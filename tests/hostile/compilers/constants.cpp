// tries: computing without end while it is compiled
// outcomes: [succeeded, compile_failed, memory_limit, time_limit, cpu_limit]
// limits: { compile_wall_ms: 3000, compile_memory_bytes: 134217728 }
constexpr unsigned long compute(unsigned long n)
{
    return n < 2 ? n : compute(n - 1) + compute(n - 2);
}

template <unsigned long n> struct All {
    static constexpr unsigned long value = compute(22 + n % 3) + All<n - 1>::value;
};
template <> struct All<0> {
    static constexpr unsigned long value = 0;
};

static_assert(All<800>::value != 1);

int main()
{
}
