// tries: files of the machine as constants
// outcomes: [compile_failed]
// limits: { compile_wall_ms: 15000 }
const FILES: [&[u8]; 3] = [
    include_bytes!("{{file}}"),
    include_bytes!("/proc/1/environ"),
    include_bytes!("/etc/shadow"),
];

fn main() {
    println!("{:?} {}", FILES, env!("CANARY"));
}
