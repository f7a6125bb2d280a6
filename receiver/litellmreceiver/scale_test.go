package litellmreceiver

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// TestXTenThousandModels: each a deployment with traffic of its own.
func TestXTenThousandModels(t *testing.T) {
	const n = 10_000
	c := newClock()
	cfg := simulator.LiteLLMConfig{Now: c.now}
	for i := range n {
		cfg.Deployments = append(cfg.Deployments, simulator.LiteLLMDeployment{
			Name: fmt.Sprintf("model-%05d", i), Model: fmt.Sprintf("openai/upstream-%05d", i), Mode: "chat", MaxInput: 8192, InputPrice: usd(1e-6), OutputPrice: usd(2e-6),
		})
	}
	l := simulator.NewLiteLLM(cfg)
	c.advance(time.Hour)
	for i := range n {
		l.Finish(simulator.LiteLLMRequest{
			Model: cfg.Deployments[i].Name, Attempts: []simulator.LiteLLMAttempt{{Deployment: i}}, Input: 10, Output: 5,
			Total: time.Second, Upstream: time.Second, FirstToken: time.Second, Queue: time.Second,
		})
	}
	p := newProbe(t, c, serve(t, l.Handler()), withKey, func(cfg *Config) { cfg.MaxPageSize = 1 << 30 })
	begin := time.Now()
	got := p.read(t)
	fmt.Println(time.Since(begin), len(got), got.value(t, "litellm.scrape.series"), got.value(t, "litellm.scrape.body.size"), got.problems())
	for _, e := range p.logs.TakeAll() {
		fmt.Println(e.Message, e.ContextMap())
	}
	assert.Empty(t, got.problems())
	require.NotEmpty(t, got.of("litellm.tokens.input"))
}

var (
	_           = bufio.NewReader
	_ io.Reader = strings.NewReader("")
	_           = runtime.GC
	_ http.Handler
)
