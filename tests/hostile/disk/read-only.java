// tries: writing to each folder of the machine that it can see
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { wall_ms: 8000 }
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

public class Main {
    public static void main(String[] args) {
        for (String folder : List.of("/", "/bin", "/usr", "/usr/lib", "/etc", "/opt", "/opt/sandbox", "/dev", "/proc", "/sys", "/sys/fs/cgroup", "/var", "/run", "/home", "/root")) {
            try {
                Files.writeString(Path.of(folder, "planted"), "x");
                System.out.println("ESCAPED " + folder);
            } catch (Exception e) {
            }
        }
        System.out.println("went on");
    }
}
