// Computes Collatz sequences and tells the longest.
fn length(start: u64) -> usize {
    std::iter::successors(Some(start), |&n| match n {
        1 => None,
        n if n % 2 == 0 => Some(n / 2),
        n => Some(3 * n + 1),
    })
    .count()
}

fn main() {
    let (start, steps) = (1..100_000)
        .map(|start| (start, length(start)))
        .max_by_key(|&(_, steps)| steps)
        .unwrap();
    println!("{start} takes {steps} steps, the most of all numbers below 100000");
}
