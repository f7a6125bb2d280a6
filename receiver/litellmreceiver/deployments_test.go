package litellmreceiver

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

func answerOf(text string) *http.Response {
	return &http.Response{Header: http.Header{}, Body: io.NopCloser(strings.NewReader(text))}
}

func readAll(t *testing.T, text string) []deployment {
	t.Helper()
	d, err := readDeployments(answerOf(text), 100)
	require.NoError(t, err)
	return d.list
}

func TestReadDeployments(t *testing.T) {
	for _, tt := range []struct {
		name, entry string
		want        deployment
	}{
		{
			"all that there is", `{"model_name":"claude","litellm_params":{"model":"anthropic/claude-sonnet-4","custom_llm_provider":"anthropic","api_base":"https://example.com:8443/x"},
			"model_info":{"id":"abc","db_model":true,"key":"claude-sonnet-4-20250514","mode":"chat","max_tokens":64000,"max_input_tokens":200000,"max_output_tokens":64000,
			"input_cost_per_token":3e-06,"output_cost_per_token":1.5e-05,"cache_read_input_token_cost":3e-07,"cache_creation_input_token_cost":3.75e-06,"output_cost_per_reasoning_token":2e-5,
			"input_cost_per_token_above_200k_tokens":6e-06,"supports_vision":true,"supports_audio_input":null,"supports_function_calling":true,"supports_x":false,"supports_":true,"brand_new":{"a":[1]}},"more":1}`,
			deployment{
				id: "abc", name: "claude", model: "anthropic/claude-sonnet-4", served: "claude-sonnet-4", provider: "anthropic", operation: "chat", address: "example.com:8443",
				key: "claude-sonnet-4-20250514", capabilities: "function_calling,vision", context: 200000,
				prices: []price{{"input", 3e-06}, {"output", 1.5e-05}, {"cache_read", 3e-07}, {"cache_creation", 3.75e-06}, {"reasoning", 2e-5}},
			},
		},
		{"nothing but a name", `{"model_name":"m"}`, deployment{name: "m"}},
		{"null everywhere", `{"model_name":"m","litellm_params":null,"model_info":null}`, deployment{name: "m"}},
		{"null inside", `{"model_name":"m","litellm_params":{"model":null,"api_base":null,"custom_llm_provider":null},"model_info":{"id":null,"key":null,"mode":null,"max_tokens":null,"input_cost_per_token":null,"supports_vision":null}}`, deployment{name: "m"}},
		{
			"other types", `{"model_name":"m","litellm_params":{"model":["a"],"api_base":7},"model_info":{"id":5,"max_tokens":"4096","input_cost_per_token":"1e-6","output_cost_per_token":{},"mode":3,"supports_vision":"true"}}`,
			deployment{name: "m", context: 4096, prices: []price{{"input", 1e-6}}},
		},
		{
			"vLLM", `{"model_name":"chat","litellm_params":{"model":"hosted_vllm/Qwen/Qwen3-32B","api_base":"http://vllm:8000/v1"},"model_info":{"id":"1","mode":"chat"}}`,
			deployment{id: "1", name: "chat", model: "hosted_vllm/Qwen/Qwen3-32B", served: "Qwen/Qwen3-32B", provider: "hosted_vllm", operation: "chat", address: "vllm:8000"},
		},
		{
			"a name with the provider in it, once more", `{"model_name":"oss","litellm_params":{"model":"openai/openai/gpt-oss-120b","api_base":"http://vllm/v1"},"model_info":{"id":"1"}}`,
			deployment{id: "1", name: "oss", model: "openai/openai/gpt-oss-120b", served: "openai/gpt-oss-120b", provider: "openai", address: "vllm:80"},
		},
		{
			"an owner is no provider", `{"model_name":"m","litellm_params":{"model":"mistralai/devstral"},"model_info":{"litellm_provider":"openrouter"}}`,
			deployment{name: "m", model: "mistralai/devstral", served: "mistralai/devstral", provider: "openrouter"},
		},
		{
			"modes", `{"model_name":"e","litellm_params":{"model":"azure/e","api_base":"https://example.com"},"model_info":{"mode":"embedding","max_tokens":8191,"max_input_tokens":0}}`,
			deployment{name: "e", model: "azure/e", served: "e", provider: "azure", operation: "embeddings", address: "example.com:443", context: 8191},
		},
		{"completion", `{"model_name":"c","model_info":{"mode":"completion"}}`, deployment{name: "c", operation: "text_completion"}},
		{"a mode of its own", `{"model_name":"c","model_info":{"mode":"image_generation"}}`, deployment{name: "c", operation: "image_generation"}},
		{"the same name in the price list", `{"model_name":"c","litellm_params":{"model":"openai/gpt-4o"},"model_info":{"key":"gpt-4o"}}`, deployment{name: "c", model: "openai/gpt-4o", served: "gpt-4o", provider: "openai"}},
		{"a team's own", `{"model_name":"model_name_team-1_0b3c","model_info":{"id":"1","team_public_model_name":"ours"}}`, deployment{id: "1", name: "ours"}},
		{
			"what cannot be", `{"model_name":"m","model_info":{"max_input_tokens":-5,"max_tokens":1e300,"input_cost_per_token":-1,"output_cost_per_token":0}}`,
			deployment{name: "m", context: 1 << 53, prices: []price{{"output", 0}}},
		},
		{"no URL", `{"model_name":"m","litellm_params":{"api_base":"::not a url"}}`, deployment{name: "m"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, []deployment{tt.want}, readAll(t, `{"object":"list","data":[`+tt.entry+`],"more":{"a":1}}`))
		})
	}
}

func TestReadDeploymentsLists(t *testing.T) {
	assert.Empty(t, readAll(t, `{"data":[]}`))
	assert.Len(t, readAll(t, `{"data":[{"model_name":"a","model_info":{"id":"1"}},{"model_name":"a","model_info":{"id":"1"}},{"model_name":"a","model_info":{"id":"2"}},{"model_name":null},{}]}`), 2,
		"repeated and nameless ones say nothing")
	for _, text := range []string{``, `{`, `[]`, `{}`, `{"data":{}}`, `{"data":[3]}`, `{"data":[{"model_name":"a"}`, `{"data":[{"model_name":"a"}]`, `{"more"`, `{"more":`, `null`} {
		_, err := readDeployments(answerOf(text), 100)
		assert.Error(t, err, text)
		_, err = readModels(answerOf(text), 100)
		assert.Error(t, err, text)
	}
	d, err := readDeployments(answerOf(`{"data":[{"model_name":"a"},{"model_name":"b"},{"model_name":"c"},{"anything":[]}]}`), 2)
	require.NoError(t, err)
	assert.Len(t, d.list, 2)
	assert.Equal(t, 2, d.refused)
	m, err := readModels(answerOf(`{"data":[{"id":"a"},{"id":"a"},{"id":null},{"id":"b"},{"id":"c"}]}`), 2)
	require.NoError(t, err)
	assert.Equal(t, &modelNames{[]string{"a", "b"}, 1}, m)
}

func TestComplete(t *testing.T) {
	d, err := readDeployments(answerOf(`{"data":[
		{"model_name":"chat","litellm_params":{"model":"hosted_vllm/qwen"},"model_info":{"id":"1"}},
		{"model_name":"oss","litellm_params":{"model":"openai/openai/gpt-oss"},"model_info":{"id":"2"}},
		{"model_name":"any","litellm_params":{"model":"azure/*"},"model_info":{"id":"3"}},
		{"model_name":"twice","litellm_params":{"model":"azure/gpt-4o"},"model_info":{"id":"4"}},
		{"model_name":"twice","litellm_params":{"model":"openai/gpt-4o"},"model_info":{"id":"5"}}
	]}`), 100)
	require.NoError(t, err)
	for _, tt := range []struct {
		name     string
		known    *deployments
		is       attributes
		prefixed bool
		want     attributes
	}{
		{"by id", d, attributes{attrDeploymentID: "1"}, false, attributes{attrDeploymentID: "1", attrRequestModel: "chat", attrResponseModel: "qwen", attrProvider: "vllm", attrRawProvider: "hosted_vllm"}},
		{"what labels say stays", d, attributes{attrDeploymentID: "1", attrRequestModel: "other", attrResponseModel: "x", attrProvider: "openai"}, false, attributes{attrDeploymentID: "1", attrRequestModel: "other", attrResponseModel: "x", attrProvider: "openai"}},
		{"with the prefix", d, attributes{attrDeploymentID: "1", attrResponseModel: "hosted_vllm/qwen"}, false, attributes{attrDeploymentID: "1", attrRequestModel: "chat", attrResponseModel: "qwen", attrProvider: "vllm", attrRawProvider: "hosted_vllm"}},
		{"a prefix that belongs to the name", d, attributes{attrDeploymentID: "2", attrResponseModel: "openai/gpt-oss", attrProvider: "openai"}, false, attributes{attrDeploymentID: "2", attrRequestModel: "oss", attrResponseModel: "openai/gpt-oss", attrProvider: "openai"}},
		{"any model", d, attributes{attrDeploymentID: "3", attrResponseModel: "gpt-4o"}, false, attributes{attrDeploymentID: "3", attrRequestModel: "any", attrResponseModel: "gpt-4o", attrProvider: "azure.ai.openai", attrRawProvider: "azure"}},
		{"provider by model", d, attributes{attrResponseModel: "qwen"}, false, attributes{attrResponseModel: "qwen", attrProvider: "vllm", attrRawProvider: "hosted_vllm"}},
		{"provider unclear", d, attributes{attrResponseModel: "gpt-4o"}, false, attributes{attrResponseModel: "gpt-4o"}},
		{"nothing known", nil, attributes{attrDeploymentID: "9", attrResponseModel: "azure/gpt-4o", attrProvider: "azure"}, true, attributes{attrDeploymentID: "9", attrResponseModel: "gpt-4o", attrProvider: "azure.ai.openai", attrRawProvider: "azure"}},
		{"no prefix there", nil, attributes{attrResponseModel: "azure/gpt-4o", attrProvider: "azure"}, false, attributes{attrResponseModel: "azure/gpt-4o", attrProvider: "azure.ai.openai", attrRawProvider: "azure"}},
		{"empty", d, attributes{}, true, attributes{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := tt.is
			tt.known.complete(&a, tt.prefixed)
			assert.Equal(t, tt.want, a)
		})
	}
}

// TestCapturedDeployments: the metrics say what the capture does, read by other code.
func TestCapturedDeployments(t *testing.T) {
	file := captures(t, "*model_info.json")[0]
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	var capture struct {
		Data []struct {
			Name   string         `json:"model_name"`
			Params map[string]any `json:"litellm_params"`
			Info   map[string]any `json:"model_info"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal(text, &capture))
	require.Len(t, capture.Data, 69)

	c := newClock()
	l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now})
	p := newProbe(t, c, serve(t, instead(l.Handler(), map[string]http.HandlerFunc{"/model/info": says(200, string(text))})), withKey)
	got := p.read(t)
	assert.Empty(t, got.problems())
	infos := map[any]reading{}
	for _, r := range got.of("litellm.deployment.info") {
		infos[r.attributes["litellm.deployment.id"]] = r
	}
	require.Len(t, infos, 69)
	prices, contexts := 0, 0
	for _, d := range capture.Data {
		id := d.Info["id"].(string)
		info := infos[id]
		assert.Equal(t, d.Name, info.attributes["gen_ai.request.model"])
		model, provider := d.Params["model"].(string), d.Params["custom_llm_provider"].(string)
		assert.Equal(t, strings.TrimPrefix(model, provider+"/"), info.attributes["gen_ai.response.model"])
		want := map[string]string{"azure_ai": "azure.ai.inference", "bedrock": "aws.bedrock"}[provider]
		if want == "" {
			want = provider
			assert.NotContains(t, info.attributes, "litellm.provider")
		} else {
			assert.Equal(t, provider, info.attributes["litellm.provider"])
		}
		assert.Equal(t, want, info.attributes["gen_ai.provider.name"])
		mode, _ := d.Info["mode"].(string)
		operation, _ := info.attributes["gen_ai.operation.name"].(string)
		assert.Equal(t, strings.NewReplacer("embedding", "embeddings", "completion", "text_completion").Replace(mode), operation)
		var can []string
		for key, v := range d.Info {
			if v == true && strings.HasPrefix(key, "supports_") {
				can = append(can, strings.TrimPrefix(key, "supports_"))
			}
		}
		slices.Sort(can)
		capabilities, _ := info.attributes["llm.model.capabilities"].(string)
		assert.Equal(t, strings.Join(can, ","), capabilities)
		base, _ := d.Params["api_base"].(string)
		address, _ := info.attributes["litellm.deployment.address"].(string)
		assert.Equal(t, base != "", address != "")
		if address != "" {
			assert.Contains(t, base, strings.TrimSuffix(address, ":443"))
		}
		for kind, key := range map[string]string{"input": "input_cost_per_token", "output": "output_cost_per_token", "cache_read": "cache_read_input_token_cost", "cache_creation": "cache_creation_input_token_cost", "reasoning": "output_cost_per_reasoning_token"} {
			series := seriesName("litellm.deployment.price", map[string]any{"gen_ai.request.model": d.Name, "litellm.deployment.id": id, "gen_ai.token.type": kind})
			if v, ok := d.Info[key].(float64); ok {
				assert.InDelta(t, v, got.value(t, series), 0)
				prices++
			} else {
				assert.NotContains(t, got, series)
			}
		}
		length, ok := d.Info["max_input_tokens"].(float64)
		if !ok {
			length, ok = d.Info["max_tokens"].(float64)
		}
		series := seriesName("litellm.deployment.context_length", map[string]any{"gen_ai.request.model": d.Name, "litellm.deployment.id": id})
		if ok && length > 0 {
			assert.InDelta(t, length, got.value(t, series), 0)
			contexts++
		} else {
			assert.NotContains(t, got, series)
		}
	}
	assert.Len(t, got.of("litellm.deployment.price"), prices)
	assert.Len(t, got.of("litellm.deployment.context_length"), contexts)
	assert.Greater(t, prices, 100)
}

// TestCapturedModels: the documented answer of /v1/models.
func TestCapturedModels(t *testing.T) {
	text, err := os.ReadFile(captures(t, "docs-v1-models.json")[0])
	require.NoError(t, err)
	m, err := readModels(answerOf(string(text)), 100)
	require.NoError(t, err)
	assert.Len(t, m.names, 9)
	assert.Contains(t, m.names, "xai/grok-3-beta")
}

// FuzzAnswers: no answer makes the receiver fail, or record what cannot be.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `{"data":[]}`, `{"data":[{"model_name":"a","litellm_params":{"model":"x/y"},"model_info":{"id":"1","supports_x":true,"max_tokens":1e300}}]}`,
		`{"latest_health_checks":{"a":{"model_id":"1","status":"healthy"}}}`, `{"healthy_endpoints":[{"model":"a"}],"unhealthy_endpoints":null}`,
		`{"results":[{"date":"2026-09-20","breakdown":{"models":{"a":{"metrics":{"spend":1}}}}}],"metadata":{"has_more":true}}`,
		`{"db":"connected","cache":{"type":"x","index_info":"error"}}`, `"text"`, `[1]`, `null`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		told := &told{alive: true}
		if d, err := readDeployments(answerOf(text), 10); err == nil {
			told.deployments = d
			assert.LessOrEqual(t, len(d.list), 10)
		}
		if m, err := readModels(answerOf(text), 10); err == nil {
			told.models = m
		}
		var health healthAnswer
		var latest struct {
			Checks map[string]check `json:"latest_health_checks"`
		}
		if json.Unmarshal([]byte(text), &health) == nil && json.Unmarshal([]byte(text), &latest) == nil {
			told.checks = append(health.checks(10), sorted(latest.Checks, 10)...)
		}
		var answer activityAnswer
		if json.Unmarshal([]byte(text), &answer) == nil {
			total := newActivityTotal("2026-09-20", 10)
			total.add(&answer)
			told.activity = total.activity()
		}
		_ = json.Unmarshal([]byte(text), &told.readiness)
		p := newProbe(t, newClock(), "http://fuzz")
		recordTold(p.mb, told, p.clock.timestamp())
		for _, r := range readingsOf(t, p.mb.Emit()) {
			assert.True(t, isNumber(r.value))
		}
	})
}
