// Vllm stands for a vLLM server in a container: it takes the arguments of "vllm
// serve" that matter to the tests and plays such a server.
package main

import (
	"flag"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

func main() {
	flags := flag.NewFlagSet("vllm", flag.ExitOnError)
	name := flags.String("served-model-name", "", "")
	port := flags.String("port", "8000", "")
	flags.Int("tensor-parallel-size", 1, "")
	if len(os.Args) < 3 || os.Args[1] != "serve" {
		log.Fatal("usage: vllm serve MODEL [flags]")
	}
	_ = flags.Parse(os.Args[3:])

	vllm := simulator.NewVLLM(simulator.VLLMConfig{Models: []simulator.VLLMModel{{ID: *name, Root: os.Args[2], MaxModelLen: 32768}}})
	vllm.Play(1, 10*time.Minute, 60)
	log.Fatal(http.ListenAndServe(":"+*port, vllm.Handler())) //nolint:gosec // a test server
}
