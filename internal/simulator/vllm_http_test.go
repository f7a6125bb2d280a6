package simulator

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// get asks a handler over a real connection, without following redirects.
func get(t *testing.T, h http.Handler, path, bearer string) (*http.Response, string) {
	t.Helper()
	server := httptest.NewServer(h)
	defer server.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, http.NoBody)
	require.NoError(t, err)
	if bearer != "" {
		req.Header.Set("Authorization", "Bearer "+bearer)
	}
	client := server.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp, string(body)
}

func TestHTTPMetrics(t *testing.T) {
	v := NewVLLM(VLLMConfig{Now: newClock().now})
	for _, path := range []string{"/metrics", "/metrics/"} {
		resp, body := get(t, v.Handler(), path, "")
		assert.Equal(t, http.StatusOK, resp.StatusCode)
		assert.Equal(t, "text/plain; version=0.0.4; charset=utf-8", resp.Header.Get("Content-Type"))
		assert.Equal(t, string(v.Page()), body)
	}
}

func TestHTTPOldMetricsRedirects(t *testing.T) {
	v := NewVLLM(VLLMConfig{Version: VLLM0_5_4, PathPrefix: "/llm/"})
	resp, _ := get(t, v.Handler(), "/llm/metrics", "")
	assert.Equal(t, http.StatusTemporaryRedirect, resp.StatusCode)
	assert.Equal(t, "/llm/metrics/", resp.Header.Get("Location"))
	resp, body := get(t, v.Handler(), "/llm/metrics/", "")
	assert.Equal(t, http.StatusOK, resp.StatusCode)
	assert.Contains(t, body, "vllm:num_requests_running")
}

func TestHTTPPrefixAndUnknownPaths(t *testing.T) {
	h := NewVLLM(VLLMConfig{PathPrefix: "/a"}).Handler()
	for path, status := range map[string]int{
		"/a/health": 200, "/a/version": 200, "/health": 404, "/a/ping-pong": 404, "/a/metrics/more": 404, "/a/server_info": 404,
	} {
		resp, _ := get(t, h, path, "")
		assert.Equal(t, status, resp.StatusCode, path)
	}
}

func TestHTTPPhases(t *testing.T) {
	v := NewVLLM(VLLMConfig{})
	status := func(path string) int {
		resp, _ := get(t, v.Handler(), path, "")
		return resp.StatusCode
	}
	resp, body := get(t, v.Handler(), "/health", "")
	assert.Equal(t, 200, resp.StatusCode)
	assert.Empty(t, body)
	v.SetPhase(PhaseLoading)
	assert.Equal(t, 503, status("/health"))
	assert.Equal(t, 503, status("/metrics"))
	v.SetPhase(PhaseEngineDead)
	assert.Equal(t, 503, status("/health"))
	assert.Equal(t, 200, status("/metrics"))
	v.Restart()
	assert.Equal(t, 200, status("/health"))
}

func TestHTTPVersion(t *testing.T) {
	_, body := get(t, NewVLLM(VLLMConfig{Version: VLLM0_10_2}).Handler(), "/version", "")
	assert.JSONEq(t, `{"version":"0.10.2"}`, body)
	_, body = get(t, NewVLLM(VLLMConfig{BuildVersion: "dev"}).Handler(), "/version", "")
	assert.JSONEq(t, `{"version":"dev"}`, body)
}

func TestHTTPModels(t *testing.T) {
	c := newClock()
	v := NewVLLM(VLLMConfig{APIKey: "s3cret", Now: c.now, Models: []VLLMModel{
		{ID: "m", Root: "/models/m", MaxModelLen: 4096, Adapters: []LoRAAdapter{{Name: "tuned", Path: "/lora/tuned"}}},
		{ID: "alias"},
	}})
	for _, key := range []string{"", "wrong"} {
		resp, body := get(t, v.Handler(), "/v1/models", key)
		assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
		assert.JSONEq(t, `{"error":"Unauthorized"}`, body)
	}
	resp, _ := get(t, v.Handler(), "/metrics", "")
	assert.Equal(t, http.StatusOK, resp.StatusCode)

	_, body := get(t, v.Handler(), "/v1/models", "s3cret")
	var list struct {
		Object string      `json:"object"`
		Data   []modelCard `json:"data"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	assert.Equal(t, "list", list.Object)
	require.Len(t, list.Data, 3)
	base, alias, adapter := list.Data[0], list.Data[1], list.Data[2]
	assert.Equal(t, "m", base.ID)
	assert.Equal(t, "/models/m", base.Root)
	assert.Equal(t, 4096, *base.MaxModelLen)
	assert.Equal(t, c.t.Unix(), base.Created)
	assert.Nil(t, base.Parent)
	assert.Equal(t, "alias", alias.Root)
	assert.Equal(t, "tuned", adapter.ID)
	assert.Equal(t, "m", *adapter.Parent)
	assert.Nil(t, adapter.MaxModelLen)
}

func TestHTTPLoad(t *testing.T) {
	for tracked, want := range map[bool]string{false: `{"server_load":0}`, true: `{"server_load":6}`} {
		v := NewVLLM(VLLMConfig{TrackLoad: tracked, Engines: 2})
		v.SetLoad(0, VLLMLoad{Running: 3, WaitingCapacity: 1})
		v.SetLoad(1, VLLMLoad{Running: 1, WaitingDeferred: 1})
		_, body := get(t, v.Handler(), "/load", "")
		assert.Equal(t, want, body)
	}
}

func TestHTTPServerInfo(t *testing.T) {
	v := NewVLLM(VLLMConfig{DevMode: true, Quantization: "fp8", TensorParallel: 4})
	_, body := get(t, v.Handler(), "/server_info", "")
	var text struct {
		Config string         `json:"vllm_config"`
		Env    map[string]any `json:"vllm_env"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &text))
	for _, part := range []string{"dtype=torch.bfloat16, max_seq_len=32768,", "tensor_parallel_size=4, pipeline_parallel_size=1,", "quantization=fp8,"} {
		assert.Contains(t, text.Config, part)
	}
	assert.NotEmpty(t, text.Env)

	_, body = get(t, v.Handler(), "/server_info?config_format=json", "")
	var tree struct {
		Config struct {
			Model struct {
				Quantization *string `json:"quantization"`
			} `json:"model_config"`
			Parallel struct {
				Tensor int `json:"tensor_parallel_size"`
			} `json:"parallel_config"`
		} `json:"vllm_config"`
	}
	require.NoError(t, json.Unmarshal([]byte(body), &tree))
	assert.Equal(t, "fp8", *tree.Config.Model.Quantization)
	assert.Equal(t, 4, tree.Config.Parallel.Tensor)

	old := NewVLLM(VLLMConfig{Version: VLLM0_8_5, DevMode: true})
	_, body = get(t, old.Handler(), "/server_info?config_format=json", "")
	require.NoError(t, json.Unmarshal([]byte(body), &text))
	assert.Contains(t, text.Config, "quantization=None")
}
