//go:build integration

package integration

import (
	"fmt"
	"os"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/go-connections/nat"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml/nvmltest"
)

// TestAttribution is the reason for this collector: a process that a GPU driver names by its pid alone, in a real
// container, shows as that container and as the model it serves. The driver is a fake library that go-nvml really loads,
// the server in the container answers as vLLM does.
func TestAttribution(t *testing.T) {
	engine := docker(t)
	image := fmt.Sprintf("otelcol-llm/vllm-openai-%d:v0.11.0", os.Getpid())
	programImage(t, engine, "vllm", image)
	name := fmt.Sprintf("otelcol-llm-chat-%d", os.Getpid())
	id := runContainer(t, engine, name,
		&container.Config{
			Image:        image,
			Cmd:          []string{"serve", "Qwen/Qwen3-8B", "--served-model-name", "qwen3", "--tensor-parallel-size", "2"},
			ExposedPorts: nat.PortSet{"8000/tcp": {}},
		},
		&container.HostConfig{PortBindings: nat.PortMap{"8000/tcp": {{HostIP: "127.0.0.1"}}}})
	inspect, err := engine.ContainerInspect(t.Context(), id)
	require.NoError(t, err)

	const gib = 1 << 30
	driver := nvmltest.Build(t)
	driver.Set(t,
		"load",
		fmt.Sprintf("process 0 compute %d %d", inspect.State.Pid, 100*gib),
		fmt.Sprintf("process 1 compute %d %d", inspect.State.Pid, 90*gib),
		fmt.Sprintf("process 1 compute %d %d", os.Getpid(), 2*gib), // of the host
	)
	loki := startLoki(t)
	col := startCollector(t, nil, "NVML_LIBRARY="+driver.Path, "LOKI_OTLP_ENDPOINT="+loki.URL+"/otlp")
	prom := startPrometheus(t, col.Metrics)

	require.EventuallyWithT(t, func(c *assert.CollectT) {
		// GPU -> container -> model.
		of := fmt.Sprintf(`{container_name=%q,gen_ai_request_model="qwen3"}`, name)
		memory := prom.Query(c, `hw_gpu_container_memory_usage_bytes`+of)
		require.Len(c, memory, 2, "one for each of its GPUs")
		assert.Equal(c, 190.0*gib, value(c, prom, `sum(hw_gpu_container_memory_usage_bytes`+of+`)`))
		assert.Equal(c, 2.0, value(c, prom, `llm_model_gpus`+of), "tensor parallel over two")
		// The host's own process is nobody's container.
		assert.Equal(c, 2.0*gib, value(c, prom, `sum(hw_gpu_container_memory_usage_bytes{container_name=""})`))
		// What the model costs: the power of its GPUs by its share of them.
		power := value(c, prom, `sum by (gen_ai_request_model) (llm_model_gpu_ratio`+of+` * on (hw_id) group_left () max by (hw_id) (hw_power_watts))`)
		assert.Greater(c, power, 100.0)
		// And the server itself was found, without a line of configuration.
		assert.Equal(c, 1.0, value(c, prom, fmt.Sprintf(`vllm_up{container_name=%q}`, name)))
		assert.Equal(c, 1.0, value(c, prom, fmt.Sprintf(`vllm_server_state{container_name=%q,vllm_server_state="ready"}`, name)))
		// So that tokens and watts meet: joules per token.
		tokens := prom.Query(c, `sum by (gen_ai_request_model) (vllm_tokens_output_total`+of+`)`)
		assert.Len(c, tokens, 1)
		assert.Equal(c, 1.0, value(c, prom, fmt.Sprintf(`container_state{container_name=%q,container_state="running"}`, name)))
	}, soon, tick)

	checkNames(t, metricNames(t, col.Metrics), ofGPUs)

	// The GPU falls off the bus: it stays visible as failed, the other goes on, and it is in the logs.
	driver.Set(t, "load", "event 1 0 8 79", "lost 0")
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Equal(c, 1.0, value(c, prom, `sum(hw_status{hw_state="failed"})`))
		assert.Equal(c, 1.0, value(c, prom, `sum(hw_status{hw_state="ok"})`))
		assert.Len(c, prom.Query(c, `hw_gpu_utilization_ratio{hw_gpu_task="general"}`), 1)
		assert.NotEmpty(c, loki.Query(c, `{service_name="nvml"} | event_name="hw.gpu.lost"`, soon))
	}, soon, tick)

	// The server ends: nothing of it looks alive.
	require.NoError(t, engine.ContainerStop(t.Context(), id, container.StopOptions{}))
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		assert.Equal(c, 0.0, value(c, prom, fmt.Sprintf(`vllm_up{container_name=%q}`, name)))
		assert.Empty(c, prom.Query(c, fmt.Sprintf(`vllm_requests_running{container_name=%q}`, name)))
		assert.Empty(c, prom.Query(c, fmt.Sprintf(`hw_gpu_container_memory_usage_bytes{container_name=%q}`, name)))
		assert.Equal(c, 1.0, value(c, prom, fmt.Sprintf(`container_state{container_name=%q,container_state="exited"}`, name)))
		assert.NotEmpty(c, loki.Query(c, fmt.Sprintf(`{container_name=%q} | event_name="container.die" | gen_ai_request_model="qwen3"`, name), soon))
	}, soon, tick)
}
