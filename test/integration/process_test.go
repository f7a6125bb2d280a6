//go:build integration

// Package integration runs the built collector against a real Prometheus and a real Loki, each a process of its own:
// what the stores accept, rename or refuse is only known from them.
package integration

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	readyTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
	logTail      = 8 << 10
)

// httpClient keeps no connections alive, so that a stopping server has none to wait for.
var httpClient = &http.Client{
	Timeout:   10 * time.Second,
	Transport: &http.Transport{DisableKeepAlives: true},
}

// process is a running program that lives no longer than its test.
type process struct {
	PID     int
	LogFile string // stdout and stderr

	t       *testing.T
	name    string
	cmd     *exec.Cmd
	exited  chan struct{} // closed once err is set
	err     error         // how it exited
	stopped bool          // whether the test ended it
}

// startProcess starts the program at path; env is added to the test's own environment. At the end of the test it is
// stopped, its log is shown if the test failed, and the test fails if the program had already ended by itself.
func startProcess(t *testing.T, path string, args []string, env ...string) *process {
	t.Helper()
	name := filepath.Base(path)
	logFile, err := os.Create(filepath.Join(t.TempDir(), name+".log"))
	require.NoError(t, err)
	defer logFile.Close() // the child has its own descriptor

	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = logFile, logFile
	// Cleanups do not run when go test times out or is killed: let the kernel end the child then.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, cmd.Start())

	p := &process{
		PID:     cmd.Process.Pid,
		LogFile: logFile.Name(),
		t:       t,
		name:    name,
		cmd:     cmd,
		exited:  make(chan struct{}),
	}
	go func() {
		p.err = cmd.Wait()
		close(p.exited)
	}()
	t.Cleanup(func() {
		p.Stop()
		if t.Failed() {
			t.Logf("end of the log of %s:\n%s", name, p.tail())
		}
	})
	return p
}

// Stop ends the process as an init system would: SIGTERM, and SIGKILL for one that does not obey. Anything but a clean
// exit fails the test.
func (p *process) Stop() {
	p.t.Helper()
	if p.stopped {
		return
	}
	p.stopped = true
	select {
	case <-p.exited:
		p.t.Errorf("%s ended by itself: %v", p.name, p.err)
		return
	default:
	}

	p.signal(syscall.SIGTERM)
	select {
	case <-p.exited:
		if p.err != nil {
			p.t.Errorf("%s did not stop cleanly: %v", p.name, p.err)
		}
	case <-time.After(stopTimeout):
		p.t.Errorf("%s did not stop within %v", p.name, stopTimeout)
		p.signal(syscall.SIGKILL)
		<-p.exited
	}
}

// Kill ends the process without warning, as the OOM killer would.
func (p *process) Kill() {
	p.t.Helper()
	p.stopped = true
	p.signal(syscall.SIGKILL)
	<-p.exited
}

func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("%v for %s: %v", sig, p.name, err)
	}
}

// waitReady returns once url answers 200.
func (p *process) waitReady(url string) {
	p.t.Helper()
	deadline := time.After(readyTimeout)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if answersOK(url) {
				return
			}
		case <-p.exited:
			p.t.Fatalf("%s ended before it was ready", p.name)
		case <-deadline:
			p.t.Fatalf("%s was not ready within %v", p.name, readyTimeout)
		}
	}
}

// tail returns the last whole lines of the log.
func (p *process) tail() []byte {
	log, err := os.ReadFile(p.LogFile)
	if err != nil {
		return []byte(err.Error())
	}
	if len(log) > logTail {
		log = log[len(log)-logTail:]
		_, log, _ = bytes.Cut(log, []byte("\n"))
	}
	return log
}

func answersOK(url string) bool {
	resp, err := httpClient.Get(url)
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// tool returns the path of a pinned tool, see tools/.
func tool(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("TOOLS_DIR")
	if dir == "" {
		dir = filepath.Join("..", "..", ".tools")
	}
	path, err := filepath.Abs(filepath.Join(dir, name))
	require.NoError(t, err)
	require.FileExists(t, path, "build it with: GOBIN=$PWD/.tools go -C tools/%s install -mod=readonly tool", name)
	return path
}

// freeAddresses returns n loopback addresses with ports that nobody listens on. They lie below the range from which the
// kernel takes ports for outgoing connections: one of those could come between this look and the use of the port.
func freeAddresses(t *testing.T, n int) []string {
	t.Helper()
	var addresses []string
	for len(addresses) < n {
		address := fmt.Sprintf("127.0.0.1:%d", 20000+nextPort.Add(1)%12000)
		listener, err := net.Listen("tcp", address)
		if err != nil {
			continue // taken
		}
		require.NoError(t, listener.Close())
		addresses = append(addresses, address)
	}
	return addresses
}

// nextPort counts up from a different place in each run, so that runs side by side seldom meet.
var nextPort = func() *atomic.Int64 {
	n := new(atomic.Int64)
	n.Store(int64(os.Getpid()) * 37)
	return n
}()
