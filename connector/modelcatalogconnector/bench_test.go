package modelcatalogconnector

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/connector/connectortest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/pmetric"

	"github.com/otelcol-llm/otelcol-llm/connector/modelcatalogconnector/internal/metadata"
)

// site is a scrape of so many servers with two models and counters of two engines
// each, and of a proxy that offers these models.
func site(servers int) *batch {
	b := newBatch()
	for i := range servers {
		b.vllm(fmt.Sprintf("server-%d", i), 8000+i).gauge("vllm.up", 1)
		for state := range stateOfServer {
			b.gauge("vllm.server.state{vllm.server.state="+state+"}", bit(state == "ready"))
		}
		for j := range 2 {
			model := fmt.Sprintf("served-%d-%d", i, j)
			b.gauge("vllm.model.info{gen_ai.provider.name=vllm, gen_ai.request.model="+model+", llm.model.id=org/"+model+"-8B, llm.model.dtype=bfloat16, service.version=0.12.0}", 1)
			b.gauge("vllm.model.context_length{gen_ai.request.model="+model+"}", 32768)
		}
		for engine := range 2 {
			for _, kind := range []string{"input", "output"} {
				b.sum(fmt.Sprintf("vllm.tokens.%s{gen_ai.request.model=served-%d-0, vllm.engine=%d}", kind, i, engine), 1000)
			}
		}
		for k := range 50 { // what is not read here
			b.gauge(fmt.Sprintf("vllm.other.%d{gen_ai.request.model=served-%d-0}", k, i), 1)
		}
	}
	b.litellm().gauge("litellm.up", 1)
	for i := range servers {
		for j := range 2 {
			served := fmt.Sprintf("served-%d-%d", i, j)
			offers(b, served, fmt.Sprintf("public-%d-%d", i, j), served, "vllm", fmt.Sprintf("gpu-1:%d", 8000+i))
			b.gauge("litellm.deployment.state{litellm.deployment.id="+served+", litellm.deployment.state=healthy}", 1)
			b.sum("litellm.tokens.input{gen_ai.request.model=public, gen_ai.response.model="+served+"}", 1000)
		}
	}
	return b
}

// host is a batch of a host and its containers: nothing that concerns models.
func host() *batch {
	b := newBatch()
	for i := range 100 {
		b.resource(fmt.Sprintf("host.name=gpu-1, os.type=linux, container.name=c-%d, service.name=docker", i))
		for j := range 100 {
			b.gauge(fmt.Sprintf("container.metric.%d{cpu=cpu%d, state=user}", j, j), 1)
		}
	}
	return b
}

func newBenchmark(b *testing.B) *catalog {
	b.Helper()
	cfg := createDefaultConfig().(*Config)
	c, err := newCatalog(cfg, connectortest.NewNopSettings(metadata.Type), consumertest.NewNop())
	require.NoError(b, err)
	return c
}

// BenchmarkConsumeMetrics is what a pipeline pays for a batch.
func BenchmarkConsumeMetrics(b *testing.B) {
	for name, md := range map[string]pmetric.Metrics{
		"without_models": host().md,
		"10_servers":     site(10).md,
		"200_servers":    site(200).md,
	} {
		b.Run(name, func(b *testing.B) {
			c := newBenchmark(b)
			b.ReportAllocs()
			for b.Loop() {
				if err := c.ConsumeMetrics(b.Context(), md); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(md.DataPointCount()), "ns/point")
		})
	}
}

// BenchmarkEmit is what an emission costs.
func BenchmarkEmit(b *testing.B) {
	for _, servers := range []int{10, 200} {
		b.Run(fmt.Sprintf("%d_models", 2*servers), func(b *testing.B) {
			c := newBenchmark(b)
			require.NoError(b, c.ConsumeMetrics(b.Context(), site(servers).md))
			b.ReportAllocs()
			for b.Loop() {
				c.snapshot(b.Context(), time.Now())
			}
		})
	}
}
