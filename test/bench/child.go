//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// child is this program once more, serving what a collector reads: a process, so that its CPU time is not the collector's.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
}

// startChild runs a hidden command for n servers or containers. told receives what it says once it serves.
func startChild(command string, n int, told any) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, command, strconv.Itoa(n))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is the bench's to handle
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	c := &child{cmd: cmd, stdin: stdin}
	if err := json.NewDecoder(bufio.NewReader(stdout)).Decode(told); err != nil {
		return nil, errors.Join(fmt.Errorf("the server of %s did not start: %w", command, err), c.stop())
	}
	return c, nil
}

func (c *child) stop() error {
	return errors.Join(c.stdin.Close(), c.cmd.Wait())
}

// beChild is the other side: it says where it serves and goes on until stdin ends, so that it never outlives the bench, or
// until a server failed.
func beChild(ctx context.Context, told any, failed <-chan error, stdin io.Reader, stdout io.Writer) error {
	if err := json.NewEncoder(stdout).Encode(told); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, stdin)
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// serveControl answers the bench's questions with what counts returns, at the URL returned.
func serveControl(counts func() any, failed chan<- error) (url string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(counts())
	}), failed)
	return "http://" + l.Addr().String(), nil
}

func serve(l net.Listener, h http.Handler, failed chan<- error) {
	server := &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout}
	go func() { failed <- server.Serve(l) }()
}

// ask reads the answer of serveControl.
func ask(ctx context.Context, url string, counts any) error {
	body, err := get(ctx, url)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, counts)
}
