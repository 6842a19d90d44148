// tries: frames of a run that went well, and then an end by a signal of its own
// outcomes: [signaled]
// signal: SIGKILL
// limits: { wall_ms: 5000 }
package main

import (
	"fmt"
	"syscall"
)

func main() {
	fmt.Println("{\"seq\":1,\"type\":\"finished\"}")
	syscall.Kill(syscall.Getpid(), syscall.SIGKILL)
	select {}
}
