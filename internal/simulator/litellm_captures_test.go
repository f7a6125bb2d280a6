package simulator

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// liteFixture reads a capture.
func liteFixture(t *testing.T, file string) []byte {
	t.Helper()
	root := os.Getenv("OTELCOL_LLM_FIXTURES")
	if root == "" {
		t.Skip("OTELCOL_LLM_FIXTURES is not set: no captures")
	}
	text, err := os.ReadFile(filepath.Join(root, "litellm", file))
	require.NoError(t, err)
	return text
}

var labelName = regexp.MustCompile(`(\w+)="`)

// labelSets are the names of labels of each family that has samples.
func labelSets(page []byte) map[string]string {
	sets := make(map[string]string)
	for text := range strings.SplitSeq(string(page), "\n") {
		if text == "" || text[0] == '#' {
			continue
		}
		name, block, _ := strings.Cut(text[:strings.LastIndexByte(text, ' ')], "{")
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, suffix)
		}
		var names []string
		for _, m := range labelName.FindAllStringSubmatch(block, -1) {
			if m[1] != "le" {
				names = append(names, m[1])
			}
		}
		slices.Sort(names)
		sets[name] = strings.Join(slices.Compact(names), ",")
	}
	return sets
}

var typeLine = regexp.MustCompile(`(?m)^# TYPE (\S+) (\S+)$`)

// declared are the families of a page in their order, without those that begin when something happens.
func declared(page []byte) []string {
	var names []string
	for _, m := range typeLine.FindAllSubmatch(page, -1) {
		if name := string(m[1]); !strings.HasSuffix(name, "_created") {
			names = append(names, name+" "+string(m[2]))
		}
	}
	return names
}

// TestLiteLLMCapture2026: families, order, types, labels, buckets and how values are written are those of a real proxy.
func TestLiteLLMCapture2026(t *testing.T) {
	text := liteFixture(t, "litellm-main-2026-05-metrics.prom")
	l := playedProxy(LiteLLMConfig{Version: LiteLLM1_82_0, Redis: true})
	page := l.Page()
	assert.Equal(t, declared(text), declared(page))
	ours := labelSets(page)
	compared := 0
	for name, labels := range labelSets(text) {
		got, ok := ours[name]
		require.True(t, ok, name)
		assert.Equal(t, labels, got, name)
		compared++
	}
	assert.Greater(t, compared, 40)

	les := func(page []byte, name string) []string {
		var all []string
		for _, m := range regexp.MustCompile(`(?m)^`+name+`_bucket\{.*le="([^"]*)"`).FindAllSubmatch(page, -1) {
			if !slices.Contains(all, string(m[1])) {
				all = append(all, string(m[1]))
			}
		}
		return all
	}
	for _, name := range []string{
		"litellm_request_total_latency_metric", "litellm_llm_api_latency_metric", "litellm_overhead_latency_metric", "litellm_request_queue_time_seconds",
		"litellm_deployment_latency_per_output_token",
	} {
		assert.Equal(t, les(text, name), les(page, name), name)
		assert.NotEmpty(t, les(page, name))
	}

	// A budget without a limit and a key without an alias look as there.
	l.SetBudget(LiteLLMBudget{Entity: "api_key", ID: "20e8d004577929152527b764a3652c3666134ee25ca5105d0e7dabe121531149", Remaining: math.Inf(1), Max: math.Inf(1)})
	found := regexp.MustCompile(`(?m)^litellm_remaining_api_key_budget_metric\{.*$`).FindString(string(text))
	assert.Contains(t, string(l.Page()), found)
}

// TestLiteLLMCapture2025: the capture is trimmed, and labels of families that nothing was counted in are made up, or gone.
func TestLiteLLMCapture2025(t *testing.T) {
	text := append(bytes.TrimSpace(liteFixture(t, "litellm-2025-06-metrics-trimmed.prom")), '\n')
	off := true
	l := NewLiteLLM(LiteLLMConfig{Version: LiteLLM1_72_0, PrometheusSystem: true, MetricsAuth: &off})
	for range 7 { // it was asked for seven times without a key
		status, _ := proxyGet(t, l, "/metrics/", "")
		require.Equal(t, 401, status)
	}
	page := l.Page()
	assert.Equal(t, declared(text), declared(page))

	captured, ours := parse(t, text), parse(t, page)
	compared := 0
	for sample, value := range captured.values {
		name, labels, _ := strings.Cut(sample, "{")
		// Only these samples come from requests, and so have the labels of the program.
		if strings.HasPrefix(name, "litellm_") && strings.Contains(labels, `"None"`) && !strings.HasSuffix(name, "_created") {
			assert.Equal(t, value, ours.values[sample], sample)
			compared++
		}
	}
	assert.Equal(t, 6, compared, "failed, total, state, failures, calls, model_failed")

	l = playedProxy(LiteLLMConfig{Version: LiteLLM1_72_0, PrometheusSystem: true})
	for _, service := range []string{"postgres", "auth"} {
		l.ObserveService(service, 1, false)
	}
	sets := labelSets(l.Page())
	for name, labels := range labelSets(text) {
		for _, service := range []string{"postgres", "auth"} {
			if strings.HasPrefix(name, "litellm_"+service+"_latency") || name == "litellm_"+service+"_total_requests_total" {
				assert.Equal(t, labels, sets[name], name)
			}
		}
	}
}

// TestLiteLLMCaptureModels: a deployment has no field that the real answer does not have, and of the same type.
func TestLiteLLMCaptureModels(t *testing.T) {
	type answer struct {
		Data []map[string]map[string]any `json:"data"`
	}
	decode := func(text []byte) answer {
		var loose struct {
			Data []map[string]any `json:"data"`
		}
		require.NoError(t, json.Unmarshal(text, &loose))
		var a answer
		for _, d := range loose.Data {
			a.Data = append(a.Data, map[string]map[string]any{"litellm_params": d["litellm_params"].(map[string]any), "model_info": d["model_info"].(map[string]any)})
		}
		return a
	}
	captured := decode(liteFixture(t, "litellm-1.82-model_info.json"))
	l := playedProxy(LiteLLMConfig{Version: LiteLLM1_82_0, Deployments: []LiteLLMDeployment{
		{Name: "chat", Model: "hosted_vllm/qwen3-32b", APIBase: "http://vllm:8000/v1", Mode: "chat", MaxInput: 1, MaxOutput: 1, InputPrice: price(0.5), OutputPrice: price(0.5), CacheReadPrice: price(0.5), CacheCreationPrice: price(0.5), Supports: liteCapabilities, TPM: 1, RPM: 1, Database: true},
		{Name: "bare", Model: "gpt-5-nano"},
		{Name: "unlisted", Model: "openai/mistral", Unlisted: true},
	}})
	_, body := proxyGet(t, l, "/v1/model/info", "sk-master")
	ours := decode([]byte(body))
	for _, part := range []string{"litellm_params", "model_info"} {
		kinds := make(map[string]string)
		for _, d := range captured.Data {
			for name, value := range d[part] {
				if kind := jsonKind(value); kinds[name] == "" || kinds[name] == "null" {
					kinds[name] = kind
				}
			}
		}
		for _, d := range ours.Data {
			for name, value := range d[part] {
				kind, known := kinds[name]
				require.True(t, known, name)
				if kind != "null" && value != nil {
					assert.Equal(t, kind, jsonKind(value), name)
				}
			}
		}
	}
	smallest := slices.MinFunc(captured.Data, func(a, b map[string]map[string]any) int { return len(a["model_info"]) - len(b["model_info"]) })
	assert.ElementsMatch(t, slices.Collect(maps.Keys(smallest["model_info"])), slices.Collect(maps.Keys(ours.Data[2]["model_info"])), "a model that is not in the price list")
}

func jsonKind(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case bool:
		return "bool"
	case float64:
		return "number"
	case string:
		return "string"
	case []any:
		return "array"
	}
	return "object"
}
