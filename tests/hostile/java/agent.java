// tries: options of the virtual machine by its environment, among them an agent
// refused: env.JAVA_TOOL_OPTIONS
// limits: { wall_ms: 8000, compile_wall_ms: 20000 }
// env: { JAVA_TOOL_OPTIONS: "-javaagent:/work/evil.jar", _JAVA_OPTIONS: "-Xmx100g -XX:OnOutOfMemoryError=/bin/sh", JDK_JAVA_OPTIONS: "-agentlib:jdwp=transport=dt_socket,server=y,address=127.0.0.1:0", CLASSPATH: /root }
// files: { evil.jar: "no jar" }
public class Main {
    public static void main(String[] args) {
        System.out.println("went on");
    }
}
