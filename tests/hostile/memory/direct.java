// tries: memory beside the heap, which the virtual machine does not count
// outcomes: [memory_limit, failed]
// limits: { memory_bytes: 134217728, wall_ms: 12000 }
import java.lang.reflect.Field;
import sun.misc.Unsafe;

public class Main {
    public static void main(String[] args) throws Exception {
        Field field = Unsafe.class.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        Unsafe unsafe = (Unsafe) field.get(null);
        while (true) {
            unsafe.setMemory(unsafe.allocateMemory(4 << 20), 4 << 20, (byte) 1);
        }
    }
}
