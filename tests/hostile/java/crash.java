// tries: ending the virtual machine by an address that is none, for its dump of memory and its log
// outcomes: [signaled, failed]
// limits: { wall_ms: 8000 }
import java.lang.reflect.Field;
import sun.misc.Unsafe;

public class Main {
    public static void main(String[] args) throws Exception {
        Field field = Unsafe.class.getDeclaredField("theUnsafe");
        field.setAccessible(true);
        ((Unsafe) field.get(null)).putLong(8, 8);
    }
}
