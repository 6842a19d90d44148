// tries: doubling itself for ever
// outcomes: [process_limit]
// limits: { processes: 32, wall_ms: 1000 }
// elsewhere:
//   gvisor: { outcomes: [process_limit, time_limit], reason: gVisor tells nobody that it refused a process }
extern "C" {
    fn fork() -> i32;
}

fn main() {
    loop {
        unsafe { fork() };
    }
}
