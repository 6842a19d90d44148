// tries: macros that multiply
// outcomes: [compile_failed, memory_limit, time_limit, cpu_limit]
// limits: { compile_wall_ms: 4000, compile_memory_bytes: 268435456 }
#![recursion_limit = "100000"]
macro_rules! grow {
    ($($more:tt)*) => { grow!($($more)* $($more)* x) };
}

fn main() {
    grow!(x);
}
