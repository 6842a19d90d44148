import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * javac with the words that it is given, but for those of its virtual machine (-J). Where the last word, the source, is a
 * pipe, the program is not there yet: javac compiles something small until then, so that it is loaded and linked, and the
 * pipe's end says that the source is a file now.
 */
public final class Compile {
    /** What small programs use of the library and the language. */
    private static final String SAMPLE =
            "import java.util.*; import java.util.function.*; import java.util.stream.*; import java.io.*;\n"
            + "public class Sample { interface Shape { double area(); } record Square(double side) implements Shape {\n"
            + " public double area() { return side * side; } } enum Side { LEFT, RIGHT } static <T> T id(T t) { return t; }\n"
            + " public static void main(String[] args) throws Exception { Scanner in = new Scanner(System.in);\n"
            + " Map<String, Integer> counts = new HashMap<>(); List<Integer> list = new ArrayList<>(List.of(1, 2));\n"
            + " for (int i = 0; i < 3; i++) { list.add(i); counts.merge(\"k\" + i, 1, Integer::sum); }\n"
            + " var sum = list.stream().filter(x -> x > 0).mapToInt(x -> x).sum(); long[] a = new long[9];\n"
            + " switch (Side.LEFT) { case LEFT -> System.out.println(id(sum)); default -> { } }\n"
            + " try (var out = new StringWriter()) { out.write(String.format(\"%d %s\", sum, new Square(2))); }\n"
            + " catch (IOException e) { throw new IllegalStateException(e); }\n"
            + " BufferedReader r = new BufferedReader(new InputStreamReader(System.in)); String s = r.readLine();\n"
            + " while (s != null && !s.isEmpty()) { a[0] += Long.parseLong(s.trim()); s = r.readLine(); } } }\n";

    private Compile() {}

    private static void warmUp() {
        var source = new SimpleJavaFileObject(URI.create("string:///Sample.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return SAMPLE;
            }
        };
        var options = List.of("-proc:none", "-cp", ".", "-d", "/tmp");
        var said = new PrintWriter(new StringWriter());
        var compiler = ToolProvider.getSystemJavaCompiler();
        var task = (com.sun.source.util.JavacTask) compiler.getTask(said, null, null, options, null, List.of(source));
        try {
            // Up to where classes would be written: nothing of it is to be found later.
            task.analyze();
        } catch (java.io.IOException problem) {
            throw new java.io.UncheckedIOException(problem);
        }
    }

    public static void main(String[] words) throws Exception {
        var source = Path.of(words[words.length - 1]);
        if (Files.exists(source) && !Files.isRegularFile(source)) {
            warmUp();
            Files.readAllBytes(source);
        }
        var own = Arrays.stream(words).filter(word -> !word.startsWith("-J")).toArray(String[]::new);
        System.exit(com.sun.tools.javac.Main.compile(own));
    }
}
