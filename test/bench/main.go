//go:build linux

// Command bench compares receivers as whole collectors: the same binary, the same source, the same pipeline; only the
// receiver differs. The receivers of vLLM and LiteLLM stand beside contrib's Prometheus receiver, what watches Docker beside
// contrib's receiver of container stats. It prints markdown tables and fails only if it cannot measure.
//
//	go run ./test/bench -endpoints 10,100,1000
//	go run ./test/bench -what docker -containers 500
//	go run ./test/bench -what litellm -lines 100000
//	go run ./test/bench -what synthetic -endpoints 10,1000
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// children are the hidden commands: with one of them this program is what a collector of a bench reads.
var children = map[string]func(ctx context.Context, n int, stdin io.Reader, stdout io.Writer) error{
	pagesCommand:  servePages,
	engineCommand: serveEngine,
	proxyCommand:  serveProxy,
}

// run is the whole program.
func run(ctx context.Context, args []string, stdin io.Reader, stdout io.Writer) error {
	if len(args) == 2 && children[args[0]] != nil {
		n, err := strconv.Atoi(args[1])
		if err != nil {
			return err
		}
		return children[args[0]](ctx, n, stdin, stdout)
	}
	p, err := parsePlan(args)
	if err != nil {
		return err
	}
	runs, err := p.measure(ctx)
	if err != nil {
		return err
	}
	switch p.what {
	case whatDocker:
		return writeDockerReport(stdout, p, runs)
	case whatLiteLLM:
		return writeProxyReport(stdout, p, runs)
	case whatSynthetic:
		return writeSiteReport(stdout, p, runs)
	}
	return writeReport(stdout, p, runs)
}

const (
	whatVLLM      = "vllm"
	whatDocker    = "docker"
	whatLiteLLM   = "litellm"
	whatSynthetic = "synthetic"
)

// plan is what the flags ask for.
type plan struct {
	binary     string
	configs    string // folder of the shipped configurations
	what       string
	endpoints  []int
	containers int
	lines      int
	receivers  []receiverKind
	sink       string
	interval   time.Duration // 0 means intervalOf
	scrapes    int           // of each endpoint, in the window that is measured
	warmup     int           // scrapes of each endpoint before
	rounds     int
	profiles   string // folder for profiles, empty for none
}

func parsePlan(args []string) (*plan, error) {
	p := &plan{endpoints: []int{10, 100, 1000}}
	var receivers string
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.StringVar(&p.binary, "binary", "bin/otelcol-llm", "the collector")
	f.StringVar(&p.configs, "configs", "configs", "folder of the configurations that the "+whatSynthetic+" site is played with")
	f.Func("endpoints", "how many servers to scrape, one run each (default 10,100,1000)", func(s string) (err error) {
		p.endpoints, err = parseCounts(s)
		return err
	})
	f.StringVar(&p.what, "what", whatVLLM, "what is read: "+whatVLLM+" servers, a "+whatDocker+" engine or a "+whatLiteLLM+" proxy; or the "+whatSynthetic+" site, with as many servers as endpoints")
	f.IntVar(&p.containers, "containers", 500, "how many containers the engine has")
	f.IntVar(&p.lines, "lines", 100_000, "how many lines the proxy's page has, about")
	f.StringVar(&receivers, "receivers", "", "which of "+kindNames(receiverKinds)+"; of a "+whatDocker+" engine "+kindNames(dockerKinds)+
		"; of a "+whatLiteLLM+" proxy "+kindNames(proxyKinds)+"; of the "+whatSynthetic+" site "+kindNames(siteKinds)+" (default all)")
	f.StringVar(&p.sink, "sink", sinkDebug, "exporter: "+sinkDebug+", which costs next to nothing, or "+sinkPrometheus+", read once in each interval, as is that of the "+whatSynthetic+" site")
	f.DurationVar(&p.interval, "interval", 0, "scrape interval (default 5s up to 100 endpoints, 10s beyond, of an engine and of a proxy)")
	f.IntVar(&p.scrapes, "scrapes", 4, "scrapes of each endpoint that are measured")
	f.IntVar(&p.warmup, "warmup", 2, "scrapes of each endpoint before")
	f.IntVar(&p.rounds, "rounds", 2, "how often everything is measured; medians are shown")
	f.StringVar(&p.profiles, "profiles", "", "folder for CPU and heap profiles of each run; taking them costs CPU that is measured too")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	switch {
	case f.NArg() > 0:
		return nil, fmt.Errorf("unexpected argument %q", f.Arg(0))
	case kindsOf[p.what] == nil:
		return nil, fmt.Errorf("-what must be %s, %s, %s or %s, not %q", whatVLLM, whatDocker, whatLiteLLM, whatSynthetic, p.what)
	case p.lines < 1 || p.lines > maxLines:
		return nil, fmt.Errorf("-lines must be from 1 to %d", maxLines)
	case p.containers < 1 || p.containers > maxEndpoints:
		return nil, fmt.Errorf("-containers must be from 1 to %d", maxEndpoints)
	case p.sink != sinkDebug && p.sink != sinkPrometheus:
		return nil, fmt.Errorf("-sink must be %s or %s, not %q", sinkDebug, sinkPrometheus, p.sink)
	case p.interval != 0 && p.interval < time.Second:
		return nil, errors.New("-interval must be at least 1s")
	case p.scrapes < 1 || p.warmup < 1 || p.rounds < 1:
		return nil, errors.New("-scrapes, -warmup and -rounds must be at least 1")
	}
	if p.what == whatSynthetic {
		p.sink = sinkPrometheus // of the shipped configuration
	}
	var err error
	p.receivers, err = parseKinds(receivers, kindsOf[p.what])
	return p, err
}

func parseCounts(s string) ([]int, error) {
	var counts []int
	for part := range strings.SplitSeq(s, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(part))
		if err != nil || n < 1 || n > maxEndpoints {
			return nil, fmt.Errorf("%q is not a number from 1 to %d", part, maxEndpoints)
		}
		counts = append(counts, n)
	}
	slices.Sort(counts)
	return slices.Compact(counts), nil
}

// parseKinds chooses of those known. Nothing means all.
func parseKinds(s string, known []receiverKind) ([]receiverKind, error) {
	if s == "" {
		return known, nil
	}
	var kinds []receiverKind
	for part := range strings.SplitSeq(s, ",") {
		kind := receiverKind(strings.TrimSpace(part))
		if !slices.Contains(known, kind) {
			return nil, fmt.Errorf("-receivers: %q is none of %s", part, kindNames(known))
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

func kindNames(kinds []receiverKind) string {
	names := make([]string, len(kinds))
	for i, kind := range kinds {
		names[i] = string(kind)
	}
	return strings.Join(names, ", ")
}

// intervalOf is the scrape interval for n endpoints.
func (p *plan) intervalOf(n int) time.Duration {
	switch {
	case p.interval > 0:
		return p.interval
	case p.what == whatSynthetic:
		return llmInterval // all is read once in it
	case n > 100 || p.what != whatVLLM:
		return 10 * time.Second
	}
	return 5 * time.Second
}

// measure runs everything, the receivers in turn, so that what else the machine does hits all of them.
func (p *plan) measure(ctx context.Context) ([]figures, error) {
	counts, one := append([]int{0}, p.endpoints...), p.measurePages // 0 is the idle collector
	switch p.what {
	case whatDocker:
		counts, one = []int{p.containers}, p.measureDocker
	case whatLiteLLM:
		counts, one = []int{p.lines}, p.measureProxy
	case whatSynthetic:
		one = p.measureSite
	}
	var runs []figures
	for range p.rounds {
		for _, n := range counts {
			for _, kind := range p.receivers {
				if p.what == whatSynthetic && (n == 0) != (kind == kindIdle) {
					continue // a site is nothing without one
				}
				f, err := one(ctx, kind, n)
				if err != nil {
					return nil, fmt.Errorf("%s of %d: %w", kind, n, err)
				}
				fmt.Fprintln(os.Stderr, f.line())
				runs = append(runs, f)
			}
		}
	}
	return runs, nil
}
