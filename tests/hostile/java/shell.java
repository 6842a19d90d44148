// tries: a shell, and through it what the language does not show
// outcomes: [succeeded]
// limits: { wall_ms: 8000 }
public class Main {
    public static void main(String[] args) throws Exception {
        Process shell = new ProcessBuilder("sh", "-c", "id; cat /proc/1/environ {{file}}; ls -la /proc/1/fd; env").redirectErrorStream(true).start();
        System.out.println(new String(shell.getInputStream().readAllBytes()));
    }
}
