// tries: files of the machine as data of its program, and other tools by directives
// outcomes: [compile_failed]
// limits: { compile_wall_ms: 20000 }
package main

// #cgo LDFLAGS: -Wl,--defsym=x={{file}} -fplugin=/work/evil.so
// #cgo CFLAGS: -I/ -include /etc/shadow
import "C"

import _ "embed"

//go:embed ../../../../../../etc/shadow
var shadow string

//go:generate sh -c "cat /etc/shadow"
func main() { print(shadow) }
