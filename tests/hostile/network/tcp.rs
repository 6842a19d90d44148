// tries: the loopback by TCP and UDP
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { wall_ms: 5000 }
use std::net::{TcpListener, TcpStream, UdpSocket};

fn main() {
    if TcpStream::connect("127.0.0.1:{{tcp}}").is_ok() || TcpListener::bind("127.0.0.1:0").is_ok() {
        println!("ESCAPED");
    }
    if UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(b"x", "127.0.0.1:{{udp}}")).is_ok() {
        println!("ESCAPED");
    }
    println!("went on");
}
