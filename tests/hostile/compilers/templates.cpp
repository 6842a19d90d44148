// tries: templates that double at every level
// outcomes: [compile_failed, memory_limit, time_limit, cpu_limit]
// limits: { compile_wall_ms: 3000, compile_memory_bytes: 134217728 }
template <unsigned long depth, unsigned long path> struct Grow {
    static constexpr unsigned long value =
        Grow<depth - 1, path * 2>::value + Grow<depth - 1, path * 2 + 1>::value;
};
template <unsigned long path> struct Grow<0, path> {
    static constexpr unsigned long value = path;
};

int main()
{
    return Grow<40, 1>::value & 1;
}
