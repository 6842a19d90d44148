// tries: options of the virtual machine, by arguments of the program
// outcomes: [succeeded]
// stdout: "-Xmx100g[|]-javaagent:x[|]@/etc/shadow[|]-version\n"
// args: ["-Xmx100g", "-javaagent:x", "@/etc/shadow", "-version"]
// limits: { wall_ms: 8000 }
public class Main {
    public static void main(String[] args) {
        System.out.println(String.join("|", args));
    }
}
