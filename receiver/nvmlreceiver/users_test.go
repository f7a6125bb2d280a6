package nvmlreceiver

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// shared is a GPU with two processes of one container, one of another, one
// outside of containers and one that has ended.
func shared(p *probe) {
	p.pids[10] = workload{container: "chat", containerID: "c1", model: "qwen"}
	p.pids[11] = p.pids[10]
	p.pids[20] = workload{container: "embed", containerID: "c2", model: "bge"}
	p.pids[30] = workload{program: "python3"}
	p.sim.GPU(0).Set(func(s *simulator.GPUState) {
		s.Processes = []simulator.GPUProcess{
			{PID: 10, Memory: 40 << 30, SM: 0.7, Controller: 0.5, Encoder: 0.1, Decoder: 0.2},
			{PID: 11, Memory: 20 << 30, SM: 0.5},
			{PID: 20, Memory: 10 << 30},
			{PID: 30, Memory: 1 << 30, Graphics: true},
			{PID: 99, Memory: 5 << 30, SM: 0.1},
		}
	})
}

func TestContainers(t *testing.T) {
	p := newProbe(t, 2)
	shared(p)
	first := p.read()
	assert.False(t, first.has("0 hw.gpu.container.utilization"), "the first samples may be of any age")
	got := p.read()
	chat, embed := "{container.name=chat,gen_ai.request.model=qwen}", "{container.name=embed,gen_ai.request.model=bge}"
	assert.InDelta(t, 60<<30, got.value(t, "0 hw.gpu.container.memory.usage"+chat), 0)
	assert.InDelta(t, 10<<30, got.value(t, "0 hw.gpu.container.memory.usage"+embed), 0)
	assert.InDelta(t, 1<<30, got.value(t, "0 hw.gpu.container.memory.usage{process.executable.name=python3}"), 0)
	assert.InDelta(t, 1, got.value(t, "0 hw.gpu.container.utilization"+chat), 0, "no more than all")
	assert.InDelta(t, 0, got.value(t, "0 hw.gpu.container.utilization"+embed), 0)
	assert.InDelta(t, 1, got.value(t, "0 llm.model.gpu"+chat), 0)
	assert.InDelta(t, 0, got.value(t, "0 llm.model.gpu"+embed), 0)
	assert.InDelta(t, 1, got.value(t, " llm.model.gpus"+chat), 0)
	assert.InDelta(t, 5, got.value(t, "0 hw.gpu.process.count"), 0)
	assert.False(t, got.has("0 hw.gpu.process.memory.usage"), "off by default")
	assert.Equal(t, p.sim.GPU(0).UUID(), got["0 llm.model.gpu"+chat].resource["hw.id"])
	assert.NotContains(t, got[" llm.model.gpus"+chat].resource, "hw.id")

	// The container ends: so do its series.
	p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.Processes = s.Processes[2:] })
	got = p.read()
	assert.True(t, got.ended("0 hw.gpu.container.memory.usage"+chat))
	assert.True(t, got.ended("0 llm.model.gpu"+chat))
	assert.True(t, got.ended(" llm.model.gpus"+chat))
	assert.NotContains(t, p.read(), " llm.model.gpus"+chat, "told once")
}

func TestContainerID(t *testing.T) {
	p := newProbe(t, 1, func(cfg *Config) { cfg.Attribution.ContainerID = true })
	shared(p)
	assert.True(t, p.read().has("0 hw.gpu.container.memory.usage{container.id=c1,container.name=chat,gen_ai.request.model=qwen}"))
}

func TestProcesses(t *testing.T) {
	p := newProbe(t, 1, func(cfg *Config) {
		cfg.Metrics.HwGpuProcessMemoryUsage.Enabled = true
		cfg.Metrics.HwGpuProcessUtilization.Enabled = true
	})
	shared(p)
	p.read()
	got := p.read()
	who := ",gen_ai.request.model=qwen"
	assert.InDelta(t, 40<<30, got.value(t, "0 hw.gpu.process.memory.usage{container.name=chat"+who+",process.pid=10}"), 0)
	for task, want := range map[string]float64{"sm": 0.7, "memory": 0.5, "encoder": 0.1, "decoder": 0.2} {
		assert.InDelta(t, want, got.value(t, "0 hw.gpu.process.utilization{container.name=chat"+who+",hw.gpu.task="+task+",process.pid=10}"), 0)
	}
	assert.InDelta(t, 1<<30, got.value(t, "0 hw.gpu.process.memory.usage{process.executable.name=python3,process.pid=30}"), 0)
	assert.False(t, got.has("0 hw.gpu.process.memory.usage{process.pid=99}"), "it has ended")
}

// TestProcessesWithoutAttribution is for those who want pids and no Docker.
func TestProcessesWithoutAttribution(t *testing.T) {
	p := newProbe(t, 1, everything, func(cfg *Config) { cfg.Attribution.Enabled = false })
	shared(p)
	p.resolver = noResolver{}
	p.read()
	got := p.read()
	assert.InDelta(t, 40<<30, got.value(t, "0 hw.gpu.process.memory.usage{process.pid=10}"), 0)
	assert.False(t, got.has("0 hw.gpu.container"))
	assert.False(t, got.has("0 llm.model.gpu"))
	assert.NotContains(t, p.messages(), "warn None of the processes on the GPUs can be found: the driver names them by other ids than this proc does.")
}

func TestMemoryNotAvailable(t *testing.T) {
	p := newProbe(t, 1, everything)
	p.pids[10] = workload{container: "chat", model: "qwen"}
	p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.Processes = []simulator.GPUProcess{{PID: 10, NoMemory: true, SM: 0.25}} })
	p.read()
	got := p.read()
	assert.False(t, got.has("0 hw.gpu.container.memory.usage"), "absent is not zero")
	assert.False(t, got.has("0 hw.gpu.process.memory.usage"))
	assert.InDelta(t, 0.25, got.value(t, "0 hw.gpu.container.utilization{container.name=chat,gen_ai.request.model=qwen}"), 0)
	assert.InDelta(t, 1, got.value(t, "0 llm.model.gpu{container.name=chat,gen_ai.request.model=qwen}"), 0)
}

// TestUnlistedProcess is in the utilization only: older drivers name processes
// there by ids of the host, newer ones by those of the container.
func TestUnlistedProcess(t *testing.T) {
	p := newProbe(t, 1)
	p.pids[10] = workload{container: "chat"}
	p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.Processes = []simulator.GPUProcess{{PID: 10, Unlisted: true, SM: 0.25}} })
	p.read()
	got := p.read()
	assert.InDelta(t, 0.25, got.value(t, "0 hw.gpu.container.utilization{container.name=chat}"), 0)
	assert.InDelta(t, 0, got.value(t, "0 hw.gpu.process.count"), 0)
}

func TestNothingRan(t *testing.T) {
	p := newProbe(t, 1)
	p.pids[10] = workload{container: "chat"}
	p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.Processes = []simulator.GPUProcess{{PID: 10, Memory: 1}} })
	p.read()
	assert.InDelta(t, 0, p.read().value(t, "0 hw.gpu.container.utilization{container.name=chat}"), 0, "idle is zero, not absent")
	p.sim.GPU(0).Fail("ProcessUtilization", nvml.CodeNotSupported)
	assert.False(t, p.read().has("0 hw.gpu.container.utilization"), "not offered is absent, not zero")
}

func TestForeignPIDs(t *testing.T) {
	p := newProbe(t, 1)
	p.sim.GPU(0).Set(func(s *simulator.GPUState) {
		s.Processes = []simulator.GPUProcess{{PID: 10, Memory: 1}, {PID: 11, Memory: 1}}
	})
	p.read()
	p.read()
	warning := "warn None of the processes on the GPUs can be found: the driver names them by other ids than this proc does."
	assert.Equal(t, []string{"info The NVIDIA driver answers.", warning}, sorted(p.messages()), "once")
	p.pids[10] = workload{program: "x"}
	p.read()
	assert.Empty(t, p.messages())
}

func TestTensorParallel(t *testing.T) {
	p := newProbe(t, 8)
	for i := range 4 {
		p.pids[uint32(100+i)] = workload{container: "big", model: "llama"}
		p.sim.GPU(i).Set(func(s *simulator.GPUState) {
			s.Processes = []simulator.GPUProcess{{PID: uint32(100 + i), Memory: 100 << 30, SM: 0.8}}
		})
	}
	p.pids[200] = workload{container: "small", model: "bge"}
	p.sim.GPU(3).Set(func(s *simulator.GPUState) {
		s.Processes = append(s.Processes, simulator.GPUProcess{PID: 200, Memory: 1})
	})
	p.read()
	got := p.read()
	assert.InDelta(t, 4, got.value(t, " llm.model.gpus{container.name=big,gen_ai.request.model=llama}"), 0)
	assert.InDelta(t, 1, got.value(t, " llm.model.gpus{container.name=small,gen_ai.request.model=bge}"), 0)
	assert.InDelta(t, 1, got.value(t, "0 llm.model.gpu{container.name=big,gen_ai.request.model=llama}"), 0)
}

func TestManyPrograms(t *testing.T) {
	p := newProbe(t, 1)
	p.sim.GPU(0).Set(func(s *simulator.GPUState) {
		for i := range uint32(maxWorkloads + 50) {
			p.pids[i+1] = workload{program: fmt.Sprint("program-", i)}
			s.Processes = append(s.Processes, simulator.GPUProcess{PID: i + 1, Memory: 1 << 20})
		}
	})
	got := p.read()
	assert.InDelta(t, 50<<20, got.value(t, "0 hw.gpu.container.memory.usage{process.executable.name=other}"), 0)
}

// cut is a GPU with the layout of the capture: GPU instance 2 with two compute
// instances, GPU instance 3 with one.
func cut(p *probe) {
	p.sim.GPU(0).Set(func(s *simulator.GPUState) {
		s.SetLoad(0.5)
		s.MIG = true
		s.Instances = []simulator.GPUInstance{
			{UUID: "MIG-a", Profile: "1c.3g.71gb", GPU: 2, Compute: 0, Slices: 3, Multiprocessors: 16, Memory: 71424 << 20},
			{
				UUID: "MIG-b", Profile: "2c.3g.71gb", GPU: 2, Compute: 1, Slices: 3, Multiprocessors: 32, Memory: 71424 << 20, Used: 16925 << 20, UncorrectedSRAM: 2,
				ProfilingMetrics: map[nvml.GPMMetric]float64{nvml.GPMSMActive: 0.4},
			},
			{UUID: "MIG-c", Profile: "2g.35gb", GPU: 3, Compute: 0, Slices: 2, Multiprocessors: 32, Memory: 33280 << 20, Used: 17 << 20},
		}
		s.Processes = []simulator.GPUProcess{
			{PID: 10, Memory: 13526 << 20, SM: 0.9, Instance: 2},
			{PID: 20, Memory: 10 << 20, Instance: 3},
			{PID: 30, Memory: 5 << 20},
		}
	})
	p.pids[10] = workload{container: "chat", model: "qwen"}
	p.pids[20] = workload{container: "embed", model: "bge"}
	p.pids[30] = workload{program: "x"}
}

func TestMIG(t *testing.T) {
	p := newProbe(t, 2)
	cut(p)
	p.read()
	got := p.read()
	assert.InDelta(t, 1, got.value(t, "0 hw.gpu.mig.enabled"), 0)
	assert.InDelta(t, 0, got.value(t, "1 hw.gpu.mig.enabled"), 0)
	assert.False(t, got.has("0 hw.gpu.utilization"), "the whole GPU does not tell it now")
	assert.False(t, got.has("0 hw.gpu.container.utilization"))
	assert.True(t, got.has("0 hw.power"), "but power")
	assert.InDelta(t, 3, got.value(t, "0 hw.gpu.process.count"), 0)

	assert.InDelta(t, 16925<<20, got.value(t, "MIG-a hw.gpu.memory.usage"), 0)
	assert.InDelta(t, 71424<<20, got.value(t, "MIG-a hw.gpu.memory.limit"), 0)
	assert.False(t, got.has("MIG-b hw.gpu.memory.usage"), "two compute instances share the memory: it is counted once")
	assert.InDelta(t, 17<<20, got.value(t, "MIG-c hw.gpu.memory.usage"), 0)
	assert.InDelta(t, 2, got.value(t, "MIG-b hw.errors{error.type=uncorrected,hw.gpu.ecc.location=sram}"), 0)
	assert.InDelta(t, 32, got.value(t, "MIG-b hw.gpu.mig.multiprocessors"), 0)
	assert.InDelta(t, 0.4, got.value(t, "MIG-b hw.gpu.sm.activity"), 0)
	assert.False(t, got.has("MIG-b hw.power"))
	assert.False(t, got.has("MIG-b hw.gpu.pcie"))
	assert.Equal(t, map[string]any{
		"hw.id": "MIG-b", "hw.parent": p.sim.GPU(0).UUID(), "hw.type": "gpu", "hw.vendor": "NVIDIA", "hw.model": "NVIDIA H200 MIG 2c.3g.71gb",
		"hw.name":                 "nvidia0/mig1",
		"hw.gpu.mig.gpu_instance": int64(2), "hw.gpu.mig.compute_instance": int64(1), "hw.gpu.mig.profile": "2c.3g.71gb",
	}, got["MIG-b hw.gpu.sm.activity"].resource)

	chat := "{container.name=chat,gen_ai.request.model=qwen}"
	assert.InDelta(t, 13526<<20, got.value(t, "MIG-b hw.gpu.container.memory.usage"+chat), 0)
	assert.InDelta(t, 1, got.value(t, "MIG-b llm.model.gpu"+chat), 0, "memory alone decides")
	assert.False(t, got.has("MIG-b hw.gpu.container.utilization"))
	assert.InDelta(t, 1, got.value(t, "MIG-c llm.model.gpu{container.name=embed,gen_ai.request.model=bge}"), 0)
	assert.Zero(t, p.sim.GPU(0).Calls("ProcessUtilization"), "not for MIG")

	// An instance is destroyed and its ids are used again at once.
	p.sim.GPU(0).Set(func(s *simulator.GPUState) {
		s.Processes = nil
		s.Instances = s.Instances[1:2]
		s.Instances[0].UUID = "MIG-d"
	})
	got = p.read()
	assert.True(t, got.ended("MIG-b hw.gpu.sm.activity"))
	assert.True(t, got.ended("MIG-c hw.gpu.memory.usage"))
	assert.InDelta(t, 16925<<20, got.value(t, "MIG-d hw.gpu.memory.usage"), 0)
	assert.Len(t, p.gpus[p.sim.GPU(0).UUID()].reader.migs, 1)

	// MIG is switched off: what was not supported is asked for again.
	p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.MIG, s.Instances = false, nil })
	got = p.read()
	assert.True(t, got.has("0 hw.gpu.utilization"))
	assert.Empty(t, p.gpus[p.sim.GPU(0).UUID()].reader.migs)
}

func TestMIGWithoutRights(t *testing.T) {
	p := newProbe(t, 1)
	cut(p)
	p.sim.GPU(0).Fail("Processes", nvml.CodeNoPermission)
	got := p.read()
	assert.InDelta(t, 13526<<20, got.value(t, "MIG-b hw.gpu.container.memory.usage{container.name=chat,gen_ai.request.model=qwen}"), 0)
	assert.InDelta(t, 2, got.value(t, "0 hw.gpu.process.count"), 0)
}

func TestMIGDestroyedInTheMiddle(t *testing.T) {
	p := newProbe(t, 1)
	cut(p)
	p.read()
	p.sim.GPU(0).Fail("MIG Name", nvml.CodeInvalidArgument)
	got := p.read()
	assert.True(t, got.ended("MIG-a hw.gpu.memory.usage"))
	assert.Equal(t, "ok", got.state(t, "0 hw.status"))
	p.sim.GPU(0).Fail("MIG Name", nil)
	p.sim.GPU(0).Fail("MIG Memory", nvml.CodeGPUIsLost)
	assert.Equal(t, "failed", p.read().state(t, "0 hw.status"))
}

// TestProfilersAreClosed must not leave samples in a driver that goes on, when
// the handle of a GPU is replaced.
func TestProfilersAreClosed(t *testing.T) {
	p := newProbe(t, 2)
	p.read()
	for range 3 {
		p.sim.GPU(0).Lose(nvml.CodeGPUIsLost)
		p.read()
		p.clock.advance(time.Minute)
		p.read()
		p.sim.GPU(0).Return()
		p.clock.advance(time.Minute)
		p.read()
	}
	assert.Equal(t, 4, p.sim.GPU(0).Calls("NewGPM"))
	assert.Equal(t, 3, p.sim.GPU(0).Calls("GPM Close"))
	assert.Zero(t, p.sim.GPU(1).Calls("GPM Close"))
}
