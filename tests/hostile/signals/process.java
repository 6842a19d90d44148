// tries: ending the process above it, by the language's own handles
// outcomes: [failed]
// exit_code: 7
// limits: { wall_ms: 8000 }
public class Main {
    public static void main(String[] args) throws Exception {
        ProcessHandle.of(1).ifPresent(runner -> {
            runner.destroy();
            runner.destroyForcibly();
        });
        Thread.sleep(100);
        System.exit(7);
    }
}
