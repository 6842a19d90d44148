// tries: doubling itself for ever
// outcomes: [process_limit]
// limits: { processes: 32, wall_ms: 1000 }
extern "C" {
    fn fork() -> i32;
}

fn main() {
    loop {
        unsafe { fork() };
    }
}
