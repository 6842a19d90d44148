// tries: the loopback, which the language reaches without the C library
// outcomes: [succeeded]
// stdout: "went on\n"
// limits: { wall_ms: 5000 }
package main

import (
	"fmt"
	"net"
	"time"
)

func main() {
	for _, network := range []string{"tcp", "udp", "ip4:icmp"} {
		address := "127.0.0.1:{{tcp}}"
		if network == "udp" {
			address = "127.0.0.1:{{udp}}"
		} else if network != "tcp" {
			address = "127.0.0.1"
		}
		connection, err := net.DialTimeout(network, address, time.Second)
		if err == nil {
			connection.Write([]byte("x"))
			fmt.Println("ESCAPED", network)
		}
	}
	fmt.Println("went on")
}
