// tries: "ends in each other's way: halt in a hook, exit in a finally block, exit codes that are none"
// outcomes: [failed]
// exit_code: 200
// limits: { wall_ms: 8000 }
public class Main {
    public static void main(String[] args) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(200)));
        try {
            throw new StackOverflowError();
        } finally {
            System.exit(-1);
        }
    }
}
