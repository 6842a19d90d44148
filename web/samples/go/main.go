// Squares numbers in goroutines and gathers the results.
package main

import (
	"fmt"
	"sync"
)

func main() {
	squares := make([]int, 10)
	var group sync.WaitGroup
	for index := range squares {
		group.Add(1)
		go func(index int) {
			defer group.Done()
			squares[index] = index * index
		}(index)
	}
	group.Wait()
	fmt.Println(squares)
}
