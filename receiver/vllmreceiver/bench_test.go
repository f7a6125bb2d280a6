package vllmreceiver

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// memory answers every request with one page, without a network.
type memory []byte

func (m memory) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(bytes.NewReader(m)), ContentLength: int64(len(m)),
		Header: http.Header{"Content-Type": {"text/plain; version=0.0.4; charset=utf-8"}},
	}, nil
}

// BenchmarkScrape is a whole scrape of one server, from its page to what the
// consumer gets.
func BenchmarkScrape(b *testing.B) {
	for _, version := range []simulator.VLLMVersion{simulator.VLLM0_5_4, simulator.VLLM0_29_0} {
		b.Run(string(version), func(b *testing.B) {
			c := newClock()
			v := simulator.NewVLLM(simulator.VLLMConfig{Version: version, Now: c.now})
			v.Play(1, time.Hour, 2)
			page := v.Page()
			p := newProbe(b, c, "http://memory", func(cfg *Config) {
				cfg.Endpoints[0].Paths = PathsConfig{Metrics: "/metrics"}
			})
			p.server.(*httpServer).client.Transport = memory(page)
			points := 0
			b.SetBytes(int64(len(page)))
			b.ReportAllocs()
			for b.Loop() {
				md, err := p.scrape(b.Context())
				require.NoError(b, err)
				points = md.DataPointCount()
				c.advance(time.Second)
			}
			b.ReportMetric(float64(points), "points/op")
		})
	}
}
