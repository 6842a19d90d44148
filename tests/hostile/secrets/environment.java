// tries: the service's environment, its properties and the processes that it can see
// outcomes: [succeeded]
// limits: { wall_ms: 8000 }
import java.nio.file.Files;
import java.nio.file.Path;

public class Main {
    public static void main(String[] args) throws Exception {
        System.out.println(System.getenv());
        System.out.println(System.getProperties());
        ProcessHandle.allProcesses().forEach(process -> System.out.println(process.pid() + " " + process.info()));
        for (String file : new String[] {"/proc/1/environ", "/proc/1/cmdline", "/proc/self/environ", "/proc/self/mountinfo"}) {
            try {
                System.out.println(new String(Files.readAllBytes(Path.of(file))));
            } catch (Exception e) {
                System.out.println(e);
            }
        }
    }
}
