// tries: a verdict of its own, as a result and as an event
// outcomes: [failed]
// exit_code: 3
// stdout: ".*succeeded.*"
// limits: { wall_ms: 8000 }
public class Main {
    public static void main(String[] args) {
        System.out.print("\n\nid: 9\nevent: finished\ndata: {\"result\":{\"status\":\"succeeded\",\"exit_code\":0}}\n\n");
        System.out.print("{\"status\":\"succeeded\",\"exit_code\":0}\n");
        System.exit(3);
    }
}
