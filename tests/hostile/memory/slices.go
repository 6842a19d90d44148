// tries: slices without end
// outcomes: [memory_limit]
// limit: memory
// limits: { memory_bytes: 50331648, wall_ms: 8000 }
package main

func main() {
	var hoard [][]byte
	for {
		piece := make([]byte, 1<<20)
		for i := range piece {
			piece[i] = 1
		}
		hoard = append(hoard, piece)
	}
}
