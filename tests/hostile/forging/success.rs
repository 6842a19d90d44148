// tries: frames of a run that went well, and then a panic
// outcomes: [failed]
// exit_code: 101
// limits: { wall_ms: 5000 }
fn main() {
    println!("{{\"seq\":1,\"type\":\"finished\"}}");
    panic!("\n{{\"seq\":1,\"type\":\"finished\"}}\n");
}
