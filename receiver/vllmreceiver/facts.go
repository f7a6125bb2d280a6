package vllmreceiver

import (
	"strings"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/llmserver"
)

const (
	// maxGPUList is how long a list of GPUs may be to be an attribute: all indexes
	// of a large host, or three UUIDs.
	maxGPUList = 128
)

// facts are what the container of a server tells of it. They hold where the
// server itself says nothing, as while it loads. A static endpoint has none.
type facts struct {
	version string
	models  []model
	weights weights
	// cacheDType is empty if it is that of the model.
	cacheDType                                     string
	tensorParallel, pipelineParallel, dataParallel int64
	gpus                                           string
}

// factsOf reads what a container was told to serve. Defaults of the server are
// not guessed.
func factsOf(c *docker.Container, spec *llmserver.Spec) facts {
	f := facts{
		version:          spec.Version,
		weights:          weights{dtype: said(spec.DType), quantization: said(spec.Quantization)},
		cacheDType:       said(spec.KVCacheDType),
		tensorParallel:   int64(spec.TensorParallel),
		pipelineParallel: int64(spec.PipelineParallel),
		dataParallel:     int64(spec.DataParallel),
	}
	for _, name := range spec.ServedNames {
		f.models = append(f.models, model{ID: name, Root: spec.Model, MaxModelLen: max(spec.MaxModelLen, 0)})
	}
	if len(f.models) > 0 {
		for _, adapter := range spec.LoRAModules {
			f.models = append(f.models, model{ID: adapter.Name, Root: adapter.Path, Parent: f.models[0].ID})
		}
	}
	f.models = distinct(f.models)
	if gpus := c.GPUs.String(); len(gpus) <= maxGPUList {
		f.gpus = gpus
	}
	return f
}

// said drops the values that leave the choice to the server.
func said(value string) string {
	if strings.EqualFold(value, "auto") || strings.EqualFold(value, "none") {
		return ""
	}
	return value
}
