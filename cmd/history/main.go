// History plays a synthetic site through days of the past and writes what Prometheus would have stored of it: blocks of its
// data base, with the names and labels of the shipped configuration. Panels over 30 days have something to show at once.
//
//	go run ./cmd/history -days 30 -out .state/prometheus
//
// What comes of the same flags is the same, up to what the machine's own delays decide.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	days      float64
	step      time.Duration
	until     time.Time
	out       string
	config    []string
	incidents float64
	host      string
	job       string
	target    string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command(ctx, os.Args[1:], os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "history:", err)
		os.Exit(1)
	}
}

// command does what the arguments say, and tells of it on the screen.
func command(ctx context.Context, arguments []string, screen io.Writer) error {
	o, err := parse(arguments, screen)
	if err != nil {
		return err
	}
	// What a step makes is garbage after it; a larger heap is cheaper than looking for it.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	return write(ctx, o, screen)
}

func parse(arguments []string, screen io.Writer) (*options, error) {
	o := &options{}
	flags := flag.NewFlagSet("history", flag.ContinueOnError)
	flags.SetOutput(screen)
	flags.Float64Var(&o.days, "days", 30, "how many days")
	flags.DurationVar(&o.step, "step", 5*time.Minute, "time between two points of a series, from 10s to 5m; Prometheus forgets what is older than 5m")
	until := flags.String("until", "", "the end, such as 2026-03-01T12:00:00Z; empty: now")
	flags.StringVar(&o.out, "out", ".state/prometheus", "data folder of Prometheus (--storage.tsdb.path), made if it is not there")
	config := flags.String("config", "configs/otelcol-llm.yaml,configs/overlays/synthetic.yaml", "the collector's configuration, from which site, labels and names follow")
	flags.Float64Var(&o.incidents, "incidents", 5, "how many things go wrong in a week")
	flags.StringVar(&o.host, "host", "synthetic", "host.name of the site; make demo has the same")
	flags.StringVar(&o.job, "job", "otelcol-llm", "job_name in the configuration of Prometheus")
	flags.StringVar(&o.target, "target", "localhost:8889", "target in the configuration of Prometheus")
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	o.config = strings.Split(*config, ",")
	o.until = time.Now()
	if *until != "" {
		var err error
		if o.until, err = time.Parse(time.RFC3339, *until); err != nil {
			return nil, fmt.Errorf("-until must be a time such as 2026-03-01T12:00:00Z, not %q", *until)
		}
	}
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("%q is no flag: see -help", flags.Arg(0))
	case o.step < 10*time.Second || o.step > 5*time.Minute || o.step%time.Second != 0:
		return nil, fmt.Errorf("-step must be whole seconds from 10s to 5m, not %s", o.step)
	case !(o.days > 0 && o.days <= 400):
		return nil, fmt.Errorf("-days must be above 0 and at most 400, not %v", o.days)
	case !(o.incidents >= 0 && o.incidents <= 1000):
		return nil, fmt.Errorf("-incidents must be from 0 to 1000, not %v", o.incidents)
	}
	return o, nil
}
