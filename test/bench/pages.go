//go:build linux

package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

const (
	// pagesCommand makes this program the page server.
	pagesCommand = "pages"
	// distinctPages is how many scrapes of an endpoint see new values.
	distinctPages = 40
	maxEndpoints  = 10_000
	headerTimeout = 10 * time.Second
)

// pageAddresses is what the page server says once it listens.
type pageAddresses struct {
	// Endpoints are base URLs; each has an address of its own, as servers have.
	Endpoints []string `json:"endpoints"`
	// Control answers pageCounts.
	Control string `json:"control"`
	// PageBytes is the size of the last page.
	PageBytes int `json:"page_bytes"`
}

// pageCounts says how often /metrics was read.
type pageCounts struct {
	Total int64 `json:"total"`
	// Least is the count of the endpoint that was read least.
	Least int64 `json:"least"`
}

// servePages plays n vLLM servers.
func servePages(ctx context.Context, n int, stdin io.Reader, stdout io.Writer) error {
	listeners, err := listen(n)
	if err != nil {
		return err
	}
	vllm := simulator.NewVLLM(simulator.VLLMConfig{})
	pages := renderPages(vllm)
	endpoints := make([]*endpoint, n)
	failed := make(chan error, n+1)
	control, err := serveControl(func() any { return count(endpoints) }, failed)
	if err != nil {
		return err
	}
	told := pageAddresses{Endpoints: []string{}, Control: control, PageBytes: len(pages[len(pages)-1])}
	for i, l := range listeners {
		endpoints[i] = &endpoint{pages: pages, rest: vllm.Handler()}
		told.Endpoints = append(told.Endpoints, "http://"+l.Addr().String())
		serve(l, endpoints[i], failed)
	}
	return beChild(ctx, told, failed, stdin, stdout)
}

// listen opens n loopback addresses, all with the same port.
func listen(n int) ([]net.Listener, error) {
	const attempts = 20
	var last error
	for range attempts {
		listeners := make([]net.Listener, 0, n)
		port := "0"
		for i := range n {
			l, err := net.Listen("tcp", net.JoinHostPort(hostOf(i), port))
			if last = err; err != nil {
				break
			}
			listeners = append(listeners, l)
			_, port, _ = net.SplitHostPort(l.Addr().String())
		}
		if len(listeners) == n {
			return listeners, nil
		}
		for _, l := range listeners {
			l.Close()
		}
	}
	return nil, fmt.Errorf("no port that is free on %d loopback addresses: %w", n, last)
}

// hostOf is the loopback address of endpoint i: Linux answers on all of 127.0.0.0/8.
func hostOf(i int) string {
	return fmt.Sprintf("127.1.%d.%d", i/250, i%250+1)
}

// renderPages returns pages of a server under steady load, each a little later than the one before.
func renderPages(vllm *simulator.VLLM) [][]byte {
	const requestsPerMinute = 600
	vllm.Play(1, time.Hour, requestsPerMinute)
	pages := make([][]byte, distinctPages)
	for i := range pages {
		vllm.Play(uint64(i)+2, 10*time.Second, requestsPerMinute)
		pages[i] = vllm.Page()
	}
	return pages
}

// endpoint is one server: it shows the pages in order and stays at the last.
type endpoint struct {
	pages [][]byte
	rest  http.Handler
	reads atomic.Int64
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path != "/metrics" {
		e.rest.ServeHTTP(w, r)
		return
	}
	page := e.pages[min(int(e.reads.Add(1)), len(e.pages))-1]
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(page)))
	_, _ = w.Write(page)
}

func count(endpoints []*endpoint) pageCounts {
	var c pageCounts
	for i, e := range endpoints {
		reads := e.reads.Load()
		if i == 0 || reads < c.Least {
			c.Least = reads
		}
		c.Total += reads
	}
	return c
}

// pageServer is the page server as the bench sees it.
type pageServer struct {
	pageAddresses
	*child
}

// startPages runs one of the commands that serve pages.
func startPages(command string, n int) (*pageServer, error) {
	var s pageServer
	var err error
	s.child, err = startChild(command, n, &s.pageAddresses)
	return &s, err
}

func (s *pageServer) counts(ctx context.Context) (c pageCounts, err error) {
	return c, ask(ctx, s.Control, &c)
}
