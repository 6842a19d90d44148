// tries: computing without end
// outcomes: [cpu_limit]
// limit: cpu
// limits: { cpu_ms: 300, wall_ms: 10000 }
package main

func main() {
	for {
	}
}
