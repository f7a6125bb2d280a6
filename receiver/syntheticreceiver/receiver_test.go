package syntheticreceiver

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/receiver/receivertest"
)

// TestPlays: every source of a whole site is there, read by the real receivers.
func TestPlays(t *testing.T) {
	cfg := quick()
	dir := folder(t)
	cfg.Listen.Docker, cfg.Listen.Files = socketOf(dir), dir
	r := start(t, cfg)
	r.eventually(func(p map[string][]point) bool {
		for _, name := range []string{
			"system.cpu.utilization", "container.cpu.usage.total", "container.state", "hw.power", "hw.gpu.sm.activity", "llm.model.gpu",
			"vllm.tokens.output", "litellm.tokens.input", "litellm.deployment.price", "langfuse.up",
		} {
			if len(p[name]) == 0 {
				return false
			}
		}
		return true
	}, "metrics of every source")
	r.eventually(func(p map[string][]point) bool {
		up := 0
		for _, one := range p["vllm.up"] {
			up += int(one.value)
		}
		return up >= 10
	}, "ten servers")
	p := pointsOf(r.metrics.AllMetrics())
	share, ok := last(p["llm.model.gpu"], "gen_ai.request.model", "gpt-oss-120b")
	require.True(t, ok, "GPU process -> container -> model")
	assert.Equal(t, 1.0, share, "it has its GPU alone")
	cores, _ := last(p["system.cpu.logical.count"])
	assert.Equal(t, 96.0, cores)
	tokens, ok := last(p["litellm.tokens.input"], "gen_ai.request.model", "coder", "gen_ai.response.model", "qwen3-coder-30b")
	assert.True(t, ok)
	assert.Positive(t, tokens, "the site has been at work before it was read")

	require.Eventually(t, func() bool {
		lines, events := false, false
		for _, record := range records(r.logs.AllLogs()) {
			lines = lines || strings.Contains(record.Body().AsString(), "Avg prompt throughput") && record.SeverityText() == "INFO"
			events = events || record.Body().AsString() == "The NVIDIA driver answers."
		}
		return lines && events
	}, 20*time.Second, 50*time.Millisecond, "logs of containers and of GPUs")

	r.stop()
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.NotEmpty(t, left, "a folder that was named is kept")
}

// TestDeath: a server that is down refuses connections, and what it did ends.
func TestDeath(t *testing.T) {
	r := start(t, quick())
	const container = "vllm-qwen3-32b"
	r.eventually(func(p map[string][]point) bool {
		up, _ := last(p["vllm.up"], "service.instance.id", container)
		return up == 1
	}, "it runs")
	_, err := r.player.world.StartAnomaly("model_down", container, 0)
	require.NoError(t, err)
	r.eventually(func(p map[string][]point) bool {
		up, _ := last(p["vllm.up"], "service.instance.id", container)
		exited, _ := last(p["container.state"], "container.name", container, "container.state", "exited")
		used, ok := last(p["hw.gpu.container.memory.usage"], "container.name", container)
		return up == 0 && exited == 1 && (!ok || used == 0)
	}, "it is down in vLLM's metrics, in Docker and on the GPU")
}

// TestListen: others can read the sources, too.
func TestListen(t *testing.T) {
	cfg := quick()
	cfg.Listen.LiteLLM, cfg.Listen.Langfuse = "127.0.0.1:0", "127.0.0.1:0"
	r := start(t, cfg)
	get := func(url string) string {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		resp, err := client.Get(url)
		require.NoError(t, err)
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		require.NoError(t, err)
		return string(text)
	}
	assert.Contains(t, get(r.player.servers.url("vllm-llama-70b")+"/metrics"), "vllm:num_requests_running")
	assert.Contains(t, get(r.player.servers.url("litellm")+"/health/liveliness"), "alive")
	assert.Contains(t, get(r.player.servers.url("langfuse-web")+"/api/public/health"), "OK")
	assert.Empty(t, r.player.servers.url("nothing"))
}

// TestStartErrors: what cannot work says what to change, and leaves nothing behind.
func TestStartErrors(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for want, change := range map[string]func(*Config){
		`set "listen::docker"`:           func(c *Config) { c.Listen.Docker = "tcp://" + taken.Addr().String() },
		`set "listen::vllm"`:             func(c *Config) { c.Listen.VLLM = taken.Addr().String() },
		`has no port number`:             func(c *Config) { c.Listen.VLLM = "127.0.0.1:65535" },
		`set "listen::litellm"`:          func(c *Config) { c.Listen.LiteLLM = taken.Addr().String() },
		`set "listen::langfuse"`:         func(c *Config) { c.Listen.Langfuse = taken.Addr().String() },
		`set "listen::files"`:            func(c *Config) { c.Listen.Files = filepath.Join(file, "x") },
		`set "control::endpoint"`:        func(c *Config) { c.Control = &ControlConfig{}; c.Control.Endpoint = taken.Addr().String() },
		`the target of hot_gpu must be`:  func(c *Config) { c.Anomalies = []AnomalyConfig{{Kind: "hot_gpu", Target: "9"}} },
		`"receivers::vllm"`:              func(c *Config) { c.Receivers["vllm"]["nonsense"] = 1 },
		`"receivers::nvml": "collection`: func(c *Config) { c.Receivers["nvml"]["collection_interval"] = "1ms" },
	} {
		t.Run(want, func(t *testing.T) {
			cfg := quick()
			change(cfg)
			f := NewFactory()
			m, err := f.CreateMetrics(t.Context(), receivertest.NewNopSettings(f.Type()), cfg, new(consumertest.MetricsSink))
			require.NoError(t, err)
			assert.ErrorContains(t, m.Start(t.Context(), componenttest.NewNopHost()), want)
			assert.NoError(t, m.Shutdown(t.Context()))
		})
	}
}

// TestLeftOut: a receiver inside that is not wanted does not run.
func TestLeftOut(t *testing.T) {
	cfg := quick()
	for _, name := range []string{"docker_stats", "nvml", "vllm", "langfuse"} {
		cfg.Receivers[name]["enabled"] = false
	}
	r := start(t, cfg)
	r.eventually(func(p map[string][]point) bool { return len(p["litellm.up"]) > 0 && len(p["container.state"]) > 0 }, "the others run")
	for name := range pointsOf(r.metrics.AllMetrics()) {
		assert.False(t, strings.HasPrefix(name, "vllm.") || strings.HasPrefix(name, "hw.") || strings.HasPrefix(name, "container.cpu"), name)
	}
	assert.Empty(t, r.said.FilterMessageSnippet("error").All())
}
