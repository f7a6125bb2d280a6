package site

import (
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// Spec says what the site consists of.
type Spec struct {
	Host    HostSpec
	GPUs    int
	Models  []ModelSpec
	Support []SupportSpec
	Traffic TrafficSpec
	Proxy   ProxySpec
}

// Kind is what a model does.
type Kind string

// The kinds, by the names of LiteLLM's modes.
const (
	Chat      Kind = "chat"
	Embedding Kind = "embedding"
	Rerank    Kind = "rerank"
)

// ModelSpec is a container with a vLLM server and its model.
type ModelSpec struct {
	// Container is its name, Public the name under which the proxy offers the model, Served the one that the server knows.
	Container, Public, Served string
	// Hub is the id of the weights, such as Qwen/Qwen3-32B.
	Hub     string
	Kind    Kind
	Version simulator.VLLMVersion
	// GPUs are the indexes of those that it has, as many as it is tensor parallel.
	GPUs []int
	// Parameters, in 1e9. Active is how many take part in each token; 0 means all.
	Parameters, Active float64
	// Quantization is empty (bf16) or a method, such as fp8.
	Quantization string
	Context      int
	// MaxBatch is how many requests run at once (--max-num-seqs).
	MaxBatch int
	// MemoryUtilization is the share of each GPU that it takes (--gpu-memory-utilization).
	MemoryUtilization float64
	// Share is its part of the traffic, in proportion to the others.
	Share float64
	// Prompt and Output are the medians of tokens of a request, PromptSigma and OutputSigma the spread (of the logarithm).
	Prompt, Output           float64
	PromptSigma, OutputSigma float64
	// InputPrice and OutputPrice are in USD per token.
	InputPrice, OutputPrice float64
	// Loading is how long it takes from the start of the container until it is ready.
	Loading time.Duration
	// Speculative tokens drafted per step.
	Speculative int
}

// bytesPerWeight of the model as it is loaded: two in bf16, one in fp8, and half of one in mxfp4 with its scales (~).
func (m *ModelSpec) bytesPerWeight() float64 {
	switch m.Quantization {
	case "":
		return 2
	case "mxfp4":
		return 0.53
	}
	return 1
}

// SupportSpec is a container beside the models: proxy, analytics, their stores.
type SupportSpec struct {
	Name, Image string
	// CPU is the cores it uses when idle, PerRequest the CPU time of each request that passes through the proxy.
	CPU        float64
	PerRequest time.Duration
	Memory     uint64
	Health     bool
}

// HostSpec is the machine.
type HostSpec struct {
	Name   string
	Cores  int
	Memory uint64
	Disks  []DiskSpec
	// Base is the share of all cores that is busy without a request; daily swings around it by Swing.
	Base, Swing float64
}

// DiskSpec is a file system.
type DiskSpec struct {
	Device, MountPoint, Type string
	Size                     uint64
	// Used is the share in use at the beginning, Growth is in bytes a day.
	Used   float64
	Growth float64
}

// TrafficSpec is how often and by whom the models are called.
type TrafficSpec struct {
	// PerMinute is the mean on a working day; Daily and Weekend are how much of it the cycles move: at night it falls by
	// Daily, on Saturdays and Sundays by Weekend.
	PerMinute      float64
	Daily, Weekend float64
	// Noise is the relative deviation from hour to hour. BurstShare of all minutes are bursts of BurstFactor.
	Noise, BurstShare, BurstFactor float64
	// Streaming is the share of streamed answers, Errors that of requests that fail by the client's own fault.
	Streaming, Errors float64
	Teams, Users      int
}

// ProxySpec is LiteLLM and Langfuse.
type ProxySpec struct {
	Version  string
	Langfuse string
	// Budget of each team for a month, in USD.
	Budget float64
	// IngestionDelay is how long it takes until Langfuse shows a trace.
	IngestionDelay time.Duration
}
