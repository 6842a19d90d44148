// tries: a thread of the kernel for each of endless goroutines
// outcomes: [process_limit]
// limit: processes
// limits: { processes: 32, wall_ms: 4000 }
// elsewhere:
//   gvisor: { outcomes: [process_limit, failed], reason: gVisor tells nobody that it refused a process }
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
