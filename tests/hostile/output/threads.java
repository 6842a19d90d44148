// tries: output of many threads at once
// outcomes: [output_limit]
// limit: output
// limits: { output_bytes: 50000, wall_ms: 8000, processes: 64 }
public class Main {
    public static void main(String[] args) {
        for (int i = 0; i < 8; i += 1) {
            new Thread(() -> {
                while (true) {
                    System.out.println("x".repeat(1000));
                    System.err.println("y".repeat(1000));
                }
            }).start();
        }
    }
}
