//go:build linux

package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

const (
	// proxyCommand makes this program a LiteLLM proxy.
	proxyCommand = "proxy"
	maxLines     = 1_000_000
	// proxyKey is for the API; the page is open.
	proxyKey = "sk-bench"
)

// serveProxy plays a LiteLLM proxy with a page of about n lines.
func serveProxy(ctx context.Context, n int, stdin io.Reader, stdout io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	p := &proxy{keys: max(1, n/linesPerKey()), rest: simulator.NewLiteLLM(simulator.LiteLLMConfig{MasterKey: proxyKey, Deployments: proxyModels()}).Handler()}
	p.page = appendProxyPage(nil, p.keys, 0)
	failed := make(chan error, 2)
	control, err := serveControl(func() any { return pageCounts{Total: p.reads.Load(), Least: p.reads.Load()} }, failed)
	if err != nil {
		return err
	}
	serve(l, p, failed)
	told := pageAddresses{Endpoints: []string{"http://" + l.Addr().String()}, Control: control, PageBytes: len(p.page)}
	return beChild(ctx, told, failed, stdin, stdout)
}

// proxyModels are the deployments that the page tells of.
func proxyModels() []simulator.LiteLLMDeployment {
	all := make([]simulator.LiteLLMDeployment, models)
	for i := range all {
		all[i] = simulator.LiteLLMDeployment{
			ID: proxyValue("model_id", i), Name: proxyValue("requested_model", i), Model: proxyValue("api_provider", i) + "/" + proxyValue("model", i),
			APIBase: proxyValue("api_base", i), Mode: "chat",
		}
	}
	return all
}

// proxy shows a new page with each read.
type proxy struct {
	keys  int
	rest  http.Handler
	reads atomic.Int64

	mu   sync.Mutex
	page []byte
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.TrimSuffix(r.URL.Path, "/") != "/metrics" {
		p.rest.ServeHTTP(w, r)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.page = appendProxyPage(p.page[:0], p.keys, int(p.reads.Load()))
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(p.page)))
	_, _ = w.Write(p.page)
	p.reads.Add(1)
}
