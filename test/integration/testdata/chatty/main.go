// Chatty is what the tests run in a container: it writes numbered lines, as vLLM
// does to stdout and as JSON to stderr.
package main

import (
	"fmt"
	"os"
	"time"
)

func main() {
	for i := 0; ; i++ {
		fmt.Printf("INFO 11-23 14:00:00 [core.py:42] step %d\n", i)
		fmt.Fprintf(os.Stderr, `{"level":"error","msg":"failure %d"}`+"\n", i)
		time.Sleep(200 * time.Millisecond)
	}
}
