// tries: code that the compiler executes, as a processor of annotations that lies beside it
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { compile_wall_ms: 20000, wall_ms: 8000 }
// files: { META-INF/services/javax.annotation.processing.Processor: "Evil\n", META-INF/services/com.sun.source.util.Plugin: "Evil\n", Evil.java: "public class Evil extends javax.annotation.processing.AbstractProcessor { static { System.out.println(\"ESCAPED\"); } public boolean process(java.util.Set<? extends javax.lang.model.element.TypeElement> a, javax.annotation.processing.RoundEnvironment e) { return false; } }\n" }
@Deprecated
public class Main {
    public static void main(String[] args) {
        System.out.println("went on");
    }
}
