// tries: outlasting its time by a hook that keeps it from ending
// outcomes: [time_limit]
// limit: wall
// limits: { wall_ms: 2500 }
public class Main {
    public static void main(String[] args) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            while (true) {
                try {
                    Thread.sleep(1000);
                } catch (InterruptedException e) {
                }
            }
        }));
        System.exit(0);
    }
}
