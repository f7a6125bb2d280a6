//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

const (
	sinkDebug      = "debug"
	sinkPrometheus = "prometheus"

	readyTimeout = 60 * time.Second
	stopTimeout  = 60 * time.Second
	logTail      = 4 << 10
)

type object = map[string]any

// shippedExtensions are those of the shipped configuration, and one for the bench: lists replace each other.
var shippedExtensions = []string{"healthcheckv2", "zpages", "file_storage", "pprof"}

// ports are addresses that the collector listens on.
type ports struct {
	telemetry, pprof, sink int
}

// setup is what differs between the collectors compared.
type setup struct {
	// receivers and processors all are in the pipeline of metrics.
	receivers, processors object
	// logs are the receivers that are in a pipeline of logs as well.
	logs []string
	// shipped is there for a collector with a shipped configuration instead.
	shipped *shipped
}

// shipped are configurations of this repository, and what a bench changes of them.
type shipped struct {
	files []string
	// receivers and pipelines lie over theirs.
	receivers, pipelines object
	// environment of the collector, whose folder that is.
	environment func(folder string, p ports) []string
}

// collectorConfig returns the configuration; JSON is YAML too.
func collectorConfig(s setup, sink string, p ports) ([]byte, error) {
	extensions := object{"pprof": object{"endpoint": loopback(p.pprof)}}
	telemetry := object{
		"logs": object{"level": "warn"},
		"metrics": object{"readers": []object{{"pull": object{"exporter": object{"prometheus": object{
			"host": "127.0.0.1", "port": p.telemetry,
			"without_units": true, "without_type_suffix": true, "without_scope_info": true,
		}}}}}},
	}
	if s.shipped != nil {
		service := object{"extensions": shippedExtensions, "telemetry": telemetry}
		if len(s.shipped.pipelines) > 0 {
			service["pipelines"] = s.shipped.pipelines
		}
		return json.Marshal(object{"receivers": s.shipped.receivers, "extensions": extensions, "service": service})
	}
	debug := object{"verbosity": "basic"} // logs one line for each batch at info, which the level below leaves out
	exporters := object{sinkDebug: debug}
	if sink == sinkPrometheus {
		exporters[sink] = object{"endpoint": loopback(p.sink), "resource_to_telemetry_conversion": object{"enabled": true}}
	}
	metrics := object{"receivers": slices.Sorted(maps.Keys(s.receivers)), "exporters": []string{sink}}
	pipelines := object{"metrics": metrics}
	config := object{
		"receivers":  s.receivers,
		"exporters":  exporters,
		"extensions": extensions,
		"service":    object{"extensions": []string{"pprof"}, "pipelines": pipelines, "telemetry": telemetry},
	}
	if len(s.processors) > 0 {
		config["processors"], metrics["processors"] = s.processors, slices.Sorted(maps.Keys(s.processors))
	}
	if len(s.logs) > 0 {
		pipelines["logs"] = object{"receivers": s.logs, "exporters": []string{sinkDebug}}
	}
	return json.Marshal(config)
}

func loopback(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

// collector is a running collector.
type collector struct {
	ports
	pid    int
	folder string
	cmd    *exec.Cmd
	exited chan struct{} // closed once err is set
	err    error
}

// startCollector returns once the collector's own telemetry answers.
func startCollector(ctx context.Context, binary string, what setup, sink string) (*collector, error) {
	p, err := freePorts()
	if err != nil {
		return nil, err
	}
	config, err := collectorConfig(what, sink, p)
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "otelcol-llm-bench-")
	if err != nil {
		return nil, err
	}
	c := &collector{ports: p, folder: folder, exited: make(chan struct{})}
	if err := c.start(binary, config, what.shipped); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	if err := c.waitReady(ctx); err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return c, nil
}

func (c *collector) start(binary string, config []byte, under *shipped) error {
	path := filepath.Join(c.folder, "config.yaml")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		return err
	}
	log, err := os.Create(c.logPath())
	if err != nil {
		return err
	}
	defer log.Close() // the child has its own descriptor
	c.cmd = exec.Command(binary)
	c.cmd.Env = []string{"PATH=" + os.Getenv("PATH")} // no GOGC, GOMAXPROCS or OTEL_* of whoever runs the bench
	if under != nil {
		for _, file := range under.files {
			c.cmd.Args = append(c.cmd.Args, "--config", file)
		}
		c.cmd.Env = append(c.cmd.Env, under.environment(c.folder, c.ports)...)
	}
	c.cmd.Args = append(c.cmd.Args, "--config", path)
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.cmd.Start(); err != nil {
		return err
	}
	c.pid = c.cmd.Process.Pid
	go func() {
		c.err = c.cmd.Wait()
		close(c.exited)
	}()
	return nil
}

func (c *collector) waitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	return c.poll(ctx, "was not ready", func() bool {
		_, err := get(ctx, c.telemetryURL())
		return err == nil
	})
}

// poll waits for done; it fails, saying that the collector had failed to, when the collector or ctx ends.
func (c *collector) poll(ctx context.Context, failed string, done func() bool) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-c.exited:
			return fmt.Errorf("the collector ended by itself: %w\n%s", c.err, c.tail())
		case <-ctx.Done():
			return fmt.Errorf("the collector %s: %w\n%s", failed, ctx.Err(), c.tail())
		}
	}
	return nil
}

// stop ends the collector and removes its files.
func (c *collector) stop() error {
	select {
	case <-c.exited:
	default:
		_ = c.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-c.exited:
		case <-time.After(stopTimeout):
			_ = c.cmd.Process.Kill()
			<-c.exited
			c.err = fmt.Errorf("the collector did not stop within %v", stopTimeout)
		}
	}
	return errors.Join(c.err, os.RemoveAll(c.folder))
}

func (c *collector) telemetryURL() string { return "http://" + loopback(c.telemetry) + "/metrics" }
func (c *collector) sinkURL() string      { return "http://" + loopback(c.sink) + "/metrics" }
func (c *collector) pprofURL(what string) string {
	return "http://" + loopback(c.pprof) + "/debug/pprof/" + what
}
func (c *collector) logPath() string { return filepath.Join(c.folder, "log") }

// tail returns the end of the log.
func (c *collector) tail() []byte {
	log, err := os.ReadFile(c.logPath())
	if err != nil {
		return nil
	}
	if len(log) > logTail {
		_, log, _ = bytes.Cut(log[len(log)-logTail:], []byte("\n"))
	}
	return log
}

// freePorts returns ports that nobody listens on.
func freePorts() (ports, error) {
	var p ports
	for _, port := range []*int{&p.telemetry, &p.pprof, &p.sink} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return ports{}, err
		}
		defer l.Close() // all are held until the last is known
		*port = l.Addr().(*net.TCPAddr).Port
	}
	return p, nil
}

// httpClient keeps no connections, so that the bench leaves nothing behind in what it measures.
var httpClient = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func get(ctx context.Context, url string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := httpClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answers %s", url, resp.Status)
	}
	return body, err
}
