// Actor is a container's only program: it does what a test tells it to.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"
)

const sick = "/sick"

func main() {
	verb := "wait"
	if len(os.Args) > 1 {
		verb = os.Args[1]
	}
	switch verb {
	case "wait": // until it is told to end
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		<-stop
	case "exit": // with a code
		code, _ := strconv.Atoi(os.Args[2])
		os.Exit(code)
	case "eat": // memory, until there is none
		var eaten [][]byte
		for {
			meal := make([]byte, 1<<20)
			for i := 0; i < len(meal); i += 1 << 10 {
				meal[i] = 1
			}
			eaten = append(eaten, meal)
			if len(eaten)%16 == 0 {
				fmt.Println(len(eaten), "MiB")
			}
			time.Sleep(time.Millisecond)
		}
	case "sicken":
		_ = os.WriteFile(sick, nil, 0o600)
	case "recover":
		_ = os.Remove(sick)
	case "check": // the health check
		if _, err := os.Stat(sick); err == nil {
			os.Exit(1)
		}
	}
}
