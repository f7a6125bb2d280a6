package site

import (
	"fmt"
	"slices"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

const gib = 1 << 30

// Reference is the site that everything here is made for: one server with eight H200 (141 GB, 700 W each), ten vLLM
// containers of different versions, LiteLLM in front and Langfuse behind it, 10 to 20 requests a minute.
//
// Numbers of the models are those of their cards on the hub; prices are made up, in the range of hosted models of that size.
func Reference() Spec {
	return Spec{
		Host: HostSpec{
			Name: "llm-host", Cores: 96, Memory: 1536 * gib, Base: 0.3, Swing: 0.08,
			Disks: []DiskSpec{
				{Device: "/dev/nvme0n1p2", MountPoint: "/", Type: "ext4", Size: 1800 * gib, Used: 0.42, Growth: 2 * gib},
				{Device: "/dev/nvme1n1", MountPoint: "/data", Type: "xfs", Size: 14000 * gib, Used: 0.61, Growth: 6 * gib},
			},
		},
		GPUs:   8,
		Models: referenceModels(),
		Support: []SupportSpec{
			{Name: "litellm", Image: "ghcr.io/berriai/litellm:main-v1.83.7-stable", CPU: 0.02, PerRequest: 25 * time.Millisecond, Memory: 900 << 20, Health: true},
			{Name: "litellm-db", Image: "postgres:16", CPU: 0.01, PerRequest: 4 * time.Millisecond, Memory: 400 << 20, Health: true},
			{Name: "redis", Image: "redis:7", CPU: 0.004, PerRequest: time.Millisecond, Memory: 60 << 20},
			{Name: "langfuse-web", Image: "langfuse/langfuse:3.141.0", CPU: 0.03, PerRequest: 8 * time.Millisecond, Memory: 700 << 20},
			{Name: "langfuse-worker", Image: "langfuse/langfuse-worker:3.141.0", CPU: 0.03, PerRequest: 12 * time.Millisecond, Memory: 600 << 20},
			{Name: "clickhouse", Image: "clickhouse/clickhouse-server:25.4", CPU: 0.08, PerRequest: 6 * time.Millisecond, Memory: 3 * gib, Health: true},
			{Name: "minio", Image: "minio/minio:RELEASE.2025-04-22T22-12-26Z", CPU: 0.01, PerRequest: 2 * time.Millisecond, Memory: 300 << 20},
		},
		Traffic: TrafficSpec{
			PerMinute: 15, Daily: 0.45, Weekend: 0.5, Noise: 0.15, BurstShare: 0.02, BurstFactor: 4,
			Streaming: 0.7, Errors: 0.01, Teams: 4, Users: 40,
		},
		Proxy: ProxySpec{Version: "1.83.7", Langfuse: "3.141.0", Budget: 500, IngestionDelay: 30 * time.Second},
	}
}

func referenceModels() []ModelSpec {
	chat := func(m ModelSpec) ModelSpec {
		m.Kind, m.PromptSigma, m.OutputSigma = Chat, 1, 0.8
		return m
	}
	return []ModelSpec{
		chat(ModelSpec{
			Container: "vllm-llama-70b", Public: "llama-3.3-70b", Served: "llama-3.3-70b", Hub: "meta-llama/Llama-3.3-70B-Instruct", Version: simulator.VLLM0_11_0,
			GPUs: []int{0, 1}, Parameters: 70.6, Context: 131072, MaxBatch: 256, MemoryUtilization: 0.65, Share: 14, Prompt: 1400, Output: 320,
			InputPrice: 0.6e-6, OutputPrice: 0.8e-6, Loading: 210 * time.Second,
		}),
		chat(ModelSpec{
			Container: "vllm-qwen3-235b", Public: "qwen3-235b", Served: "qwen3-235b-a22b", Hub: "Qwen/Qwen3-235B-A22B-Instruct-2507-FP8", Version: simulator.VLLM0_29_0,
			GPUs: []int{2, 3, 4, 5}, Parameters: 235, Active: 22, Quantization: "fp8", Context: 131072, MaxBatch: 256, MemoryUtilization: 0.78, Share: 12, Prompt: 2400, Output: 450,
			InputPrice: 0.5e-6, OutputPrice: 1.5e-6, Loading: 420 * time.Second,
		}),
		chat(ModelSpec{
			Container: "vllm-gpt-oss-120b", Public: "gpt-oss-120b", Served: "gpt-oss-120b", Hub: "openai/gpt-oss-120b", Version: simulator.VLLM0_16_0,
			GPUs: []int{6}, Parameters: 117, Active: 5.1, Quantization: "mxfp4", Context: 131072, MaxBatch: 256, MemoryUtilization: 0.9, Share: 22, Prompt: 1100, Output: 380,
			InputPrice: 0.15e-6, OutputPrice: 0.6e-6, Loading: 150 * time.Second,
		}),
		chat(ModelSpec{
			Container: "vllm-qwen3-32b", Public: "qwen3-32b", Served: "qwen3-32b", Hub: "Qwen/Qwen3-32B", Version: simulator.VLLM0_10_2,
			GPUs: []int{7}, Parameters: 32.8, Context: 40960, MaxBatch: 192, MemoryUtilization: 0.62, Share: 18, Prompt: 900, Output: 260,
			InputPrice: 0.2e-6, OutputPrice: 0.4e-6, Loading: 90 * time.Second,
		}),
		chat(ModelSpec{
			Container: "vllm-qwen3-coder", Public: "coder", Served: "qwen3-coder-30b", Hub: "Qwen/Qwen3-Coder-30B-A3B-Instruct", Version: simulator.VLLM0_23_0,
			GPUs: []int{7}, Parameters: 30.5, Active: 3.3, Quantization: "fp8", Context: 65536, MaxBatch: 128, MemoryUtilization: 0.3, Share: 10, Prompt: 3200, Output: 220,
			InputPrice: 0.1e-6, OutputPrice: 0.3e-6, Loading: 75 * time.Second, Speculative: 3,
		}),
		chat(ModelSpec{
			Container: "vllm-mistral-small", Public: "mistral-small", Served: "mistral-small-24b", Hub: "mistralai/Mistral-Small-24B-Instruct-2501", Version: simulator.VLLM0_8_5,
			GPUs: []int{0}, Parameters: 23.6, Quantization: "fp8", Context: 32768, MaxBatch: 64, MemoryUtilization: 0.27, Share: 6, Prompt: 700, Output: 200,
			InputPrice: 0.1e-6, OutputPrice: 0.3e-6, Loading: 80 * time.Second,
		}),
		chat(ModelSpec{
			Container: "vllm-llama-8b", Public: "llama-3.1-8b", Served: "llama-3.1-8b", Hub: "meta-llama/Llama-3.1-8B-Instruct", Version: simulator.VLLM0_6_6,
			GPUs: []int{2}, Parameters: 8, Context: 16384, MaxBatch: 64, MemoryUtilization: 0.17, Share: 8, Prompt: 600, Output: 150,
			InputPrice: 0.05e-6, OutputPrice: 0.08e-6, Loading: 45 * time.Second,
		}),
		chat(ModelSpec{
			Container: "vllm-phi-3-mini", Public: "phi-3-mini", Served: "phi-3-mini", Hub: "microsoft/Phi-3-mini-4k-instruct", Version: simulator.VLLM0_5_4,
			GPUs: []int{3}, Parameters: 3.8, Context: 4096, MaxBatch: 64, MemoryUtilization: 0.1, Share: 2, Prompt: 300, Output: 110,
			InputPrice: 0.02e-6, OutputPrice: 0.05e-6, Loading: 35 * time.Second,
		}),
		{
			Container: "vllm-bge-m3", Public: "bge-m3", Served: "bge-m3", Hub: "BAAI/bge-m3", Kind: Embedding, Version: simulator.VLLM0_9_2,
			GPUs: []int{4}, Parameters: 0.57, Context: 8192, MaxBatch: 256, MemoryUtilization: 0.06, Share: 20, Prompt: 380, PromptSigma: 0.7,
			InputPrice: 0.01e-6, Loading: 30 * time.Second,
		},
		{
			Container: "vllm-bge-reranker", Public: "bge-reranker-v2-m3", Served: "bge-reranker-v2-m3", Hub: "BAAI/bge-reranker-v2-m3", Kind: Rerank, Version: simulator.VLLM0_12_0,
			GPUs: []int{5}, Parameters: 0.57, Context: 8192, MaxBatch: 256, MemoryUtilization: 0.06, Share: 8, Prompt: 1800, PromptSigma: 0.6,
			InputPrice: 0.01e-6, Loading: 30 * time.Second,
		},
	}
}

// Scaled is the site with another number of GPUs and vLLM servers, its models over and over; 0 leaves a number as it is. Copies
// of a model share its name, as replicas behind a proxy do, and the traffic grows with them.
func Scaled(s Spec, gpus, servers int) Spec {
	if gpus == 0 && servers == 0 {
		return s
	}
	before, each := s.Models, s.GPUs
	if gpus > 0 {
		s.GPUs = gpus
	}
	if servers == 0 {
		servers = len(before)
	}
	s.Models = make([]ModelSpec, servers)
	for i := range s.Models {
		m := before[i%len(before)]
		if copies := i / len(before); copies > 0 {
			m.Container = fmt.Sprintf("%s-%d", m.Container, copies+1)
		}
		var on []int
		for _, g := range m.GPUs {
			if at := (g + i/len(before)*each) % s.GPUs; !slices.Contains(on, at) {
				on = append(on, at)
			}
		}
		m.GPUs = on
		s.Models[i] = m
	}
	s.Traffic.PerMinute *= float64(servers) / float64(len(before))
	return s
}
