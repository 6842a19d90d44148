// tries: filling the heap, and going on after each OutOfMemoryError
// outcomes: [memory_limit, cpu_limit, failed]
// limits: { memory_bytes: 134217728, wall_ms: 12000, cpu_ms: 3000 }
import java.util.ArrayList;
import java.util.List;

public class Main {
    public static void main(String[] args) {
        List<byte[]> hoard = new ArrayList<>();
        for (int refusals = 0; refusals < 10; ) {
            try {
                hoard.add(new byte[1 << 20]);
            } catch (OutOfMemoryError e) {
                refusals += 1;
            }
        }
        System.exit(1);
    }
}
