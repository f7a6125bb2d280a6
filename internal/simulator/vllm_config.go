package simulator

import (
	"slices"
	"time"
)

// VLLMConfig describes one vLLM server. The zero value is a healthy server of the newest dialect with one model, one engine
// and no options.
type VLLMConfig struct {
	// Version is the dialect: which families the server offers under which names. Empty means the newest. An unknown one
	// makes NewVLLM panic.
	Version VLLMVersion
	// BuildVersion is what /version answers, e.g. "dev" or "0.23.1rc1.dev1201+gabc". Empty means Version.
	BuildVersion string

	// Models are the served names; the first one is the model_name label of every series. The further ones are aliases of
	// the same weights, as with several values of --served-model-name. Empty means one default model.
	Models []VLLMModel
	// Engines is the data-parallel size, one engine label value each. It counts as 1 below 1 and where the dialect has no
	// engine label.
	Engines int
	// TensorParallel and PipelineParallel are visible in /server_info only. Below 1 counts as 1.
	TensorParallel, PipelineParallel int
	// DType and Quantization are visible in /server_info only, e.g. "torch.bfloat16" and "fp8". Empty means
	// "torch.bfloat16" and "None".
	DType, Quantization string

	// Blocks, BlockSize (tokens), CacheDType and MemoryUtilization (ratio 0..1) are the facts of cache_config_info.
	// Zero means 20000 blocks of 16 tokens, "auto" and 0.9.
	Blocks, BlockSize int
	CacheDType        string
	MemoryUtilization float64
	// DisablePrefixCaching makes prefix cache counters stay at 0 and the hit rate of V0 -1.
	DisablePrefixCaching bool
	// SpeculativeTokens is the number of tokens drafted per step; 0 means no speculative decoding.
	SpeculativeTokens int
	// MaxLoRAs is the number of adapters that fit at once. LoRA is on if it is positive or the first model has adapters.
	MaxLoRAs int

	// MFU is --enable-mfu-metrics: without it the estimated_* counters are offered but stay 0.
	MFU bool
	// KVCacheMetrics is --kv-cache-metrics: the kv_block_* histograms.
	KVCacheMetrics bool
	// FaultTolerance adds engine_healthy (newest dialect only).
	FaultTolerance bool
	// CountAborts counts aborted requests as finished, as some builds do; most leave them out of all per-request metrics.
	CountAborts bool
	// ShowHidden is --show-hidden-metrics-for-version: deprecated families are offered one release longer.
	ShowHidden bool
	// NoEngineLabel leaves the engine label out, as some V1 builds do; Engines then counts as 1.
	NoEngineLabel bool
	// DisableLogStats is --disable-log-stats: /metrics answers without any vllm: family.
	DisableLogStats bool
	// MultiProcess is --api-server-count above 1: no python_*, process_* and _created.
	MultiProcess bool
	// Ray exports the engine's families as Ray Serve does: other names, more labels, nothing else on the page.
	Ray RayNaming
	// Extra is appended to the /metrics page as it is: families of other owners, such as lmcache:*.
	Extra string

	// APIKey is the Bearer token for paths under /v1. It guards nothing else. Empty means no authentication.
	APIKey string
	// PathPrefix is put before every path, e.g. "/llm/a", as a reverse proxy does.
	PathPrefix string
	// TrackLoad is --enable-server-load-tracking: without it /load always answers 0.
	TrackLoad bool
	// DevMode is VLLM_SERVER_DEV_MODE=1: without it /server_info is not found.
	DevMode bool

	// Now is the server's clock. Nil means time.Now.
	Now func() time.Time
}

// VLLMModel is one served name in /v1/models.
type VLLMModel struct {
	// ID is the served name, e.g. "qwen3-32b".
	ID string
	// Root is the path or hub id the weights came from. Empty means ID.
	Root string
	// MaxModelLen is the context length in tokens; it also decides the bounds of the token histograms. Zero means 32768.
	MaxModelLen int
	// Adapters are the LoRA adapters loaded on top of this model.
	Adapters []LoRAAdapter
	// Parameters is the number of weights, used for the MFU estimates. Zero means 8e9.
	Parameters float64
}

// LoRAAdapter is one entry of /v1/models whose parent is the base model.
type LoRAAdapter struct {
	// Name is the model id that users ask for.
	Name string
	// Path is where the adapter's weights are; it becomes the entry's root.
	Path string
}

// RayNaming is how Ray Serve renames the engine's families.
type RayNaming int

// The two namings of Ray: the colon kept, and (~newer) replaced by an underscore.
const (
	RayOff RayNaming = iota
	RayColon
	RayUnderscore
)

// withDefaults is the configuration with every empty value filled in.
func (c VLLMConfig) withDefaults() VLLMConfig {
	setDefault(&c.Version, VLLMVersions()[len(VLLMVersions())-1])
	setDefault(&c.BuildVersion, string(c.Version))
	setDefault(&c.DType, "torch.bfloat16")
	setDefault(&c.Quantization, "None")
	setDefault(&c.CacheDType, "auto")
	setDefault(&c.Blocks, 20000)
	setDefault(&c.BlockSize, 16)
	setDefault(&c.MemoryUtilization, 0.9)
	c.Engines = max(c.Engines, 1)
	c.TensorParallel = max(c.TensorParallel, 1)
	c.PipelineParallel = max(c.PipelineParallel, 1)
	c.Models = slices.Clone(c.Models)
	if len(c.Models) == 0 {
		c.Models = []VLLMModel{{ID: "sim-8b", Root: "example/Sim-8B-Instruct"}}
	}
	for i := range c.Models {
		m := &c.Models[i]
		setDefault(&m.Root, m.ID)
		setDefault(&m.MaxModelLen, 32768)
		setDefault(&m.Parameters, 8e9)
	}
	if n := len(c.Models[0].Adapters); n > 0 {
		setDefault(&c.MaxLoRAs, n)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}
