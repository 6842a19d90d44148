// tries: threads until the machine gives no more, and then again
// outcomes: [process_limit]
// limit: processes
// limits: { processes: 40, wall_ms: 4000 }
// elsewhere:
//   gvisor: { outcomes: [process_limit, failed], reason: gVisor tells nobody that it refused a process }
public class Main {
    public static void main(String[] args) {
        while (true) {
            try {
                new Thread(() -> {
                    while (true) {
                        try {
                            Thread.sleep(1000);
                        } catch (InterruptedException e) {
                        }
                    }
                }).start();
            } catch (OutOfMemoryError e) {
                System.exit(4);
            }
        }
    }
}
