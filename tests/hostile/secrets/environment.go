// tries: the service's environment, and that of the compiler
// outcomes: [succeeded]
// limits: { wall_ms: 5000 }
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Println(os.Environ())
	for _, path := range []string{"/proc/1/environ", "/proc/self/environ", "{{file}}"} {
		text, err := os.ReadFile(path)
		fmt.Println(string(text), err)
	}
}
