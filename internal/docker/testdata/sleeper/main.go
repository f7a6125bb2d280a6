// Command sleeper is the program in the containers of the integration test: it
// waits, or uses up memory until it is killed.
package main

import (
	"os"
	"time"
)

func main() {
	var hog [][]byte
	for {
		if len(os.Args) > 1 && os.Args[1] == "oom" {
			block := make([]byte, 1<<20)
			for i := 0; i < len(block); i += 4096 {
				block[i] = 1
			}
			hog = append(hog, block)
			continue
		}
		time.Sleep(time.Hour)
	}
}
