// tries: leaking without end
// outcomes: [memory_limit]
// limit: memory
// limits: { memory_bytes: 33554432, wall_ms: 8000 }
fn main() {
    let mut length = 0;
    while length < usize::MAX {
        length += vec![1u8; 1 << 20].leak().iter().filter(|&&byte| byte == 1).count() % 2;
    }
}
