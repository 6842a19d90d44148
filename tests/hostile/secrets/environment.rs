// tries: the compiler's environment as a constant, and then the service's
// outcomes: [succeeded]
// limits: { wall_ms: 5000 }
fn main() {
    println!("{:?}", (option_env!("CANARY"), option_env!("AWS_SECRET_ACCESS_KEY"), option_env!("PATH")));
    println!("{:?}", std::env::vars_os().collect::<Vec<_>>());
    println!("{:?}", std::fs::read("/proc/1/environ"));
}
