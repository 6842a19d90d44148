// tries: the loopback, and being a server
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { wall_ms: 8000 }
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;

public class Main {
    interface Attempt {
        void make() throws Exception;
    }

    static void attempt(Attempt attempt) {
        try {
            attempt.make();
            System.out.println("ESCAPED");
        } catch (Exception e) {
        }
    }

    public static void main(String[] args) {
        attempt(() -> new Socket("127.0.0.1", {{tcp}}));
        attempt(() -> new ServerSocket(0));
        attempt(() -> new DatagramSocket().send(new DatagramPacket(new byte[1], 1, InetAddress.getByName("127.0.0.1"), {{udp}})));
        System.out.println("went on");
    }
}
