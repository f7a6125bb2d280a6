package site

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

const (
	// memoryLimit is that of the container of a model.
	memoryLimit = 256 * gib
	// proxyContainer is the support container that is the proxy.
	proxyContainer = "litellm"
	networkName    = "llm"
	vllmPort       = 8000
	// firstPID is that of the first container's process; each has room for its children.
	firstPID, pidsEach = 4000, 160
)

// build makes the facades, and what moves them.
func (w *World) build() {
	spec := &w.cfg.Spec
	w.nvml = simulator.NewNVML(simulator.NVMLConfig{GPUs: spec.GPUs, Now: w.clock.Now})
	for i := range spec.GPUs {
		w.gpus = append(w.gpus, &gpu{index: i, facade: w.nvml.GPU(i), heat: 28, memoryHeat: 31})
	}
	var containers []simulator.DockerContainer
	for i := range spec.Models {
		b := w.addBox(spec.Models[i].Container)
		containers = append(containers, w.describe(b, vllmContainer(&spec.Models[i])))
		w.addModel(&spec.Models[i], b)
	}
	for i := range spec.Support {
		b := w.addBox(spec.Support[i].Name)
		b.spec = &spec.Support[i]
		containers = append(containers, w.describe(b, simulator.DockerContainer{Image: b.spec.Image, Health: healthOf(b.spec.Health)}))
	}
	w.docker = simulator.NewDocker(simulator.DockerConfig{Now: w.clock.Now, Containers: containers, CPUs: spec.Host.Cores, Memory: spec.Host.Memory})
	w.host = newHost(w)
	w.langfuse = newLangfuse(w)
	w.proxy = newProxy(w)
	for _, i := range w.effects.behaviour().stopped {
		if i < len(w.engines) {
			w.engines[i].box.stop(w)
		}
	}
}

// addModel makes the server in a container, and its place on the GPUs.
func (w *World) addModel(m *ModelSpec, b *box) {
	e := &engine{spec: m, box: b, perf: performanceOf(m), index: len(w.engines), condition: ready}
	e.vllm = simulator.NewVLLM(simulator.VLLMConfig{
		Version: m.Version, Now: w.clock.Now, Quantization: m.Quantization, TensorParallel: len(m.GPUs),
		Models: []simulator.VLLMModel{{ID: m.Served, Root: m.Hub, MaxModelLen: m.Context, Parameters: m.Parameters * 1e9}},
		Blocks: e.perf.capacity / blockSize, BlockSize: blockSize, MemoryUtilization: m.MemoryUtilization, SpeculativeTokens: m.Speculative,
	})
	w.engines = append(w.engines, e)
	w.shares = append(w.shares, m.Share)
	b.engine = e
	for rank, i := range m.GPUs {
		g := w.gpus[i]
		g.engines = append(g.engines, e)
		g.boxes, g.ranks = append(g.boxes, b), append(g.ranks, uint32(rank)+1)
		g.busy, g.batch = append(g.busy, 0), append(g.batch, 0)
	}
}

// vllmContainer is what docker inspect shows of a server.
func vllmContainer(m *ModelSpec) simulator.DockerContainer {
	command := []string{
		"--model", m.Hub, "--served-model-name", m.Served, "--port", strconv.Itoa(vllmPort),
		"--max-model-len", strconv.Itoa(m.Context), "--max-num-seqs", strconv.Itoa(m.MaxBatch),
		"--gpu-memory-utilization", strconv.FormatFloat(m.MemoryUtilization, 'g', -1, 64),
	}
	if n := len(m.GPUs); n > 1 {
		command = append(command, "--tensor-parallel-size", strconv.Itoa(n))
	}
	if m.Quantization != "" {
		command = append(command, "--quantization", m.Quantization)
	}
	devices := make([]string, len(m.GPUs))
	for i, index := range m.GPUs {
		devices[i] = strconv.Itoa(index)
	}
	return simulator.DockerContainer{
		Image: fmt.Sprintf("vllm/vllm-openai:v%s", m.Version), Entrypoint: []string{"vllm", "serve"}, Cmd: command,
		Env: []string{"NVIDIA_VISIBLE_DEVICES=" + strings.Join(devices, ","), "CUDA_VERSION=12.8.1"}, Health: container.Healthy,
		HostConfig: container.HostConfig{
			RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyUnlessStopped},
			Resources: container.Resources{
				Memory:         memoryLimit,
				DeviceRequests: []container.DeviceRequest{{Driver: "nvidia", DeviceIDs: devices, Capabilities: [][]string{{"gpu"}}}},
			},
		},
	}
}

// addBox adds a container that runs since long.
func (w *World) addBox(name string) *box {
	b := &box{name: name, id: simulator.DockerID(name), index: len(w.boxes), running: true, pid: uint32(firstPID + pidsEach*len(w.boxes))}
	b.lines.box = b
	w.boxes = append(w.boxes, b)
	return b
}

// describe completes what docker inspect shows of a container.
func (w *World) describe(b *box, c simulator.DockerContainer) simulator.DockerContainer {
	b.health = c.Health
	c.Name, c.ID, c.Pid = b.name, b.id, int(b.pid)
	c.Created = w.cfg.Start.Add(-upBefore / 2)
	c.Started = c.Created
	c.Labels = map[string]string{"com.docker.compose.project": networkName, "com.docker.compose.service": b.name}
	c.Networks = []simulator.DockerNetwork{{Name: networkName, IP: fmt.Sprintf("172.18.%d.%d", (b.index+2)/250, (b.index+2)%250+1), Aliases: []string{b.name}}}
	c.HostConfig.NetworkMode, c.HostConfig.Runtime = networkName, "runc"
	c.LogPath = "/var/lib/docker/containers/" + c.ID + "/" + c.ID + "-json.log"
	return c
}

func healthOf(check bool) container.HealthStatus {
	if check {
		return container.Healthy
	}
	return ""
}
