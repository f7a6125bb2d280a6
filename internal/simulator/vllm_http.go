package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Handler serves the API of the server: /metrics, /health, /version, /v1/models, /load and /server_info under PathPrefix.
// Everything else is not found.
func (v *VLLM) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", v.serveMetrics)
	mux.HandleFunc("GET /metrics/{$}", v.serveMetrics)
	mux.HandleFunc("GET /health", v.serveHealth)
	mux.HandleFunc("GET /version", v.serveVersion)
	mux.HandleFunc("GET /v1/models", v.serveModels)
	mux.HandleFunc("GET /load", v.serveLoad)
	mux.HandleFunc("GET /server_info", v.serveInfo)
	mux.HandleFunc("/", notFound)
	guarded := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Server", "uvicorn")
		switch {
		case v.inPhase(PhaseLoading):
			http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		case !v.authorised(r):
			writeJSON(w, http.StatusUnauthorized, map[string]string{"error": "Unauthorized"})
		default:
			mux.ServeHTTP(w, r)
		}
	})
	prefix := strings.TrimSuffix(v.cfg.PathPrefix, "/")
	if prefix == "" {
		return guarded
	}
	outer := http.NewServeMux()
	outer.Handle(prefix+"/", http.StripPrefix(prefix, guarded))
	outer.HandleFunc("/", notFound)
	return outer
}

func (v *VLLM) inPhase(p Phase) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.phase == p
}

func (v *VLLM) authorised(r *http.Request) bool {
	return v.cfg.APIKey == "" || !strings.HasPrefix(r.URL.Path, "/v1") || r.Header.Get("Authorization") == "Bearer "+v.cfg.APIKey
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusNotFound, map[string]string{"detail": "Not Found"})
}

func (v *VLLM) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if v.dialect.redirects && !strings.HasSuffix(r.URL.Path, "/") {
		w.Header().Set("Location", strings.TrimSuffix(v.cfg.PathPrefix, "/")+"/metrics/")
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(v.Page())
}

func (v *VLLM) serveHealth(w http.ResponseWriter, _ *http.Request) {
	if v.inPhase(PhaseEngineDead) {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (v *VLLM) serveVersion(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]string{"version": v.cfg.BuildVersion})
}

func (v *VLLM) serveLoad(w http.ResponseWriter, _ *http.Request) {
	v.mu.Lock()
	load := 0
	if v.cfg.TrackLoad {
		for _, e := range v.engines {
			load += e.load.Running + e.load.WaitingCapacity + e.load.WaitingDeferred
		}
	}
	v.mu.Unlock()
	writeJSON(w, http.StatusOK, map[string]int{"server_load": load})
}

// modelCard is one entry of /v1/models. MaxModelLen is null for adapters.
type modelCard struct {
	ID          string       `json:"id"`
	Object      string       `json:"object"`
	Created     int64        `json:"created"` // time of the reply
	OwnedBy     string       `json:"owned_by"`
	Root        string       `json:"root"`
	Parent      *string      `json:"parent"`
	MaxModelLen *int         `json:"max_model_len"`
	Permission  []permission `json:"permission"`
}

type permission struct {
	ID                 string  `json:"id"`
	Object             string  `json:"object"`
	Created            int64   `json:"created"`
	AllowCreateEngine  bool    `json:"allow_create_engine"`
	AllowSampling      bool    `json:"allow_sampling"`
	AllowLogprobs      bool    `json:"allow_logprobs"`
	AllowSearchIndices bool    `json:"allow_search_indices"`
	AllowView          bool    `json:"allow_view"`
	AllowFineTuning    bool    `json:"allow_fine_tuning"`
	Organization       string  `json:"organization"`
	Group              *string `json:"group"`
	IsBlocking         bool    `json:"is_blocking"`
}

func (v *VLLM) serveModels(w http.ResponseWriter, _ *http.Request) {
	now := v.cfg.Now().Unix()
	cards := []modelCard{}
	add := func(id, root string, parent *string, length *int) {
		cards = append(cards, modelCard{
			ID: id, Object: "model", Created: now, OwnedBy: "vllm", Root: root, Parent: parent, MaxModelLen: length,
			Permission: []permission{{
				ID: fmt.Sprintf("modelperm-%032x", len(cards)), Object: "model_permission", Created: now,
				AllowSampling: true, AllowLogprobs: true, AllowView: true, Organization: "*",
			}},
		})
	}
	for _, m := range v.cfg.Models {
		add(m.ID, m.Root, nil, &m.MaxModelLen)
	}
	for _, m := range v.cfg.Models {
		for _, a := range m.Adapters {
			add(a.Name, a.Path, &m.ID, nil)
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"object": "list", "data": cards})
}

// serveInfo answers the engine's configuration: as Python prints it, or from 0.11 (~) with ?config_format=json as an object.
func (v *VLLM) serveInfo(w http.ResponseWriter, r *http.Request) {
	if !v.cfg.DevMode {
		notFound(w, r)
		return
	}
	info := map[string]any{"vllm_config": v.configText()}
	if r.URL.Query().Get("config_format") == "json" && v.dialect.order >= orderOf(VLLM0_11_0) {
		info["vllm_config"] = v.configTree()
	}
	if v.dialect.order >= orderOf(VLLM0_23_0) {
		info["vllm_env"] = map[string]any{"VLLM_SERVER_DEV_MODE": true}
		info["system_env"] = map[string]any{"is_cuda_available": "True"}
	}
	writeJSON(w, http.StatusOK, info)
}

// configText is the part of the real text that says something about the model and its placement, in its order.
func (v *VLLM) configText() string {
	c, m := v.cfg, v.cfg.Models[0]
	return fmt.Sprintf("model='%s', speculative_config=None, tokenizer='%s', tokenizer_mode=auto, revision=None, "+
		"trust_remote_code=False, dtype=%s, max_seq_len=%d, download_dir=None, load_format=auto, tensor_parallel_size=%d, "+
		"pipeline_parallel_size=%d, data_parallel_size=%d, quantization=%s, enforce_eager=False, kv_cache_dtype=%s, "+
		"device_config=cuda, seed=0, served_model_name=%s, enable_prefix_caching=%s",
		m.Root, m.Root, c.DType, m.MaxModelLen, c.TensorParallel, c.PipelineParallel, c.Engines, c.Quantization, c.CacheDType,
		m.ID, pythonBool(!c.DisablePrefixCaching))
}

// configTree is the same as an object.
func (v *VLLM) configTree() map[string]any {
	c, m := v.cfg, v.cfg.Models[0]
	var quantization any
	if c.Quantization != "None" {
		quantization = c.Quantization
	}
	return map[string]any{
		"model_config": map[string]any{
			"model": m.Root, "dtype": c.DType, "max_model_len": m.MaxModelLen,
			"quantization": quantization, "served_model_name": m.ID,
		},
		"cache_config": map[string]any{
			"block_size": c.BlockSize, "cache_dtype": c.CacheDType, "num_gpu_blocks": c.Blocks,
			"gpu_memory_utilization": c.MemoryUtilization, "enable_prefix_caching": !c.DisablePrefixCaching,
		},
		"parallel_config": map[string]any{
			"tensor_parallel_size": c.TensorParallel, "pipeline_parallel_size": c.PipelineParallel, "data_parallel_size": c.Engines,
		},
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	data, _ := json.Marshal(body) // no newline at the end, as the real one
	_, _ = w.Write(data)
}
