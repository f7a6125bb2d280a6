package vllmreceiver

import (
	"slices"
	"strconv"
	"strings"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/llmserver"
)

const (
	// maxGPUs bounds the list for a request of the first n GPUs.
	maxGPUs = 256
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
	if gpus := gpuList(c.GPUs); len(gpus) <= maxGPUList {
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

// gpuList writes the GPUs that a container may use, as far as the configuration
// alone tells which they are, in the way of the docker_attributes processor.
func gpuList(g docker.GPUs) string {
	var ids []string
	switch {
	case g.None():
		return ""
	case g.All && g.Visible != nil:
		return strings.Join(g.Visible, ",") // counted among all, so these are indexes of the host
	case g.All:
		return "all"
	case g.Count > 0:
		for i := range min(g.Count, maxGPUs) {
			ids = append(ids, strconv.Itoa(i))
		}
	default:
		ids = slices.Clone(g.IDs)
	}
	if g.Source == docker.SourceDevices {
		for i := range ids {
			ids[i] = "/dev/nvidia" + ids[i] // minor numbers are not indexes
		}
	}
	if g.Visible == nil {
		return strings.Join(ids, ",")
	}
	var visible []string
	for _, entry := range g.Visible {
		i, err := strconv.Atoi(entry)
		if err != nil {
			i = slices.IndexFunc(ids, func(id string) bool { return strings.HasPrefix(id, entry) })
		}
		if i < 0 || i >= len(ids) { // CUDA stops there too
			break
		}
		visible = append(visible, ids[i])
	}
	return strings.Join(visible, ",")
}
