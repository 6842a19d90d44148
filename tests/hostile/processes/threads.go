// tries: a thread of the kernel for each of endless goroutines
// outcomes: [process_limit]
// limit: processes
// limits: { processes: 32, wall_ms: 4000 }
package main

import (
	"runtime"
	"time"
)

func main() {
	for {
		go func() {
			runtime.LockOSThread()
			time.Sleep(time.Hour)
		}()
		time.Sleep(time.Millisecond)
	}
}
