package simulator

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLiteLLMModels(t *testing.T) {
	l := playedProxy(LiteLLMConfig{Keys: []LiteLLMKey{{Key: "sk-few", Models: []string{"chat"}}}, Deployments: []LiteLLMDeployment{
		{Name: "chat", Model: "hosted_vllm/qwen3-32b", APIBase: "http://a:8000/v1", Mode: "chat", MaxInput: 32768, InputPrice: price(1e-6), Supports: []string{"function_calling"}, TPM: 9},
		{Name: "chat", Model: "azure/gpt-5", Mode: "chat", MaxInput: 128, InputPrice: price(2e-6), Supports: []string{"vision", "reasoning"}, Database: true, Key: "azure/gpt-5-2026"},
		{Name: "bare", Model: "gpt-4o-mini", Unlisted: true},
	}})
	models := proxyJSON(t, l, "/models")
	assert.Equal(t, "list", models["object"])
	assert.Equal(t, []any{
		map[string]any{"id": "chat", "object": "model", "created": 1677610602.0, "owned_by": "openai"},
		map[string]any{"id": "bare", "object": "model", "created": 1677610602.0, "owned_by": "openai"},
	}, models["data"])

	data := proxyJSON(t, l, "/model/info")["data"].([]any)
	require.Len(t, data, 3)
	first := data[0]
	assert.Equal(t, "chat", within(t, first, "model_name"))
	assert.Equal(t, "hosted_vllm/qwen3-32b", within(t, first, "litellm_params", "model"))
	assert.Equal(t, "hosted_vllm", within(t, first, "litellm_params", "custom_llm_provider"))
	assert.Equal(t, "http://a:8000/v1", within(t, first, "litellm_params", "api_base"))
	assert.Equal(t, 9.0, within(t, first, "litellm_params", "tpm"))
	assert.Equal(t, 1e-6, within(t, first, "model_info", "input_cost_per_token"))
	assert.Equal(t, LiteLLMHash("chathosted_vllm/qwen3-32bhttp://a:8000/v1"), within(t, first, "model_info", "id"))
	assert.Equal(t, "qwen3-32b", within(t, first, "model_info", "key"))
	assert.Equal(t, true, within(t, first, "model_info", "supports_function_calling"))
	for _, unknown := range []string{"supports_vision", "output_cost_per_token", "max_output_tokens", "tiered_pricing", "rpm"} {
		assert.Nil(t, within(t, first, "model_info", unknown), unknown)
	}
	assert.Equal(t, true, within(t, data[1], "model_info", "db_model"))
	assert.Equal(t, "azure/gpt-5-2026", within(t, data[1], "model_info", "key"))
	assert.Equal(t, map[string]any{"id": l.cfg.Deployments[2].ID, "db_model": false}, within(t, data[2], "model_info"))
	assert.Equal(t, "openai", within(t, data[2], "litellm_params", "custom_llm_provider"))

	one := proxyJSON(t, l, "/v1/model/info?litellm_model_id="+l.cfg.Deployments[1].ID)["data"].([]any)
	require.Len(t, one, 1)
	assert.Equal(t, "azure/gpt-5", within(t, one[0], "litellm_params", "model"))
	status, _ := proxyGet(t, l, "/model/info?litellm_model_id=none", "sk-master")
	assert.Equal(t, 400, status)

	groups := proxyJSON(t, l, "/model_group/info")["data"].([]any)
	require.Len(t, groups, 2)
	assert.Equal(t, map[string]any{
		"model_group": "chat", "providers": []any{"hosted_vllm", "azure"}, "max_input_tokens": 32768.0, "max_output_tokens": nil,
		"input_cost_per_token": 2e-6, "output_cost_per_token": nil, "mode": "chat", "tpm": 9.0, "rpm": nil,
		"supports_vision": true, "supports_function_calling": true, "supports_reasoning": true,
	}, groups[0])
	assert.Len(t, proxyJSON(t, l, "/model_group/info?model_group=bare")["data"], 1)

	for path, want := range map[string]int{"/v1/models": 1, "/model/info": 2, "/model_group/info": 1} {
		_, body := proxyGet(t, l, path, "sk-few")
		assert.Len(t, object(t, body)["data"], want, path)
	}
	for _, path := range []string{"/v1/models", "/model/info", "/model_group/info"} {
		assert.Equal(t, []any{}, proxyJSON(t, NewLiteLLM(LiteLLMConfig{Deployments: []LiteLLMDeployment{}}), path)["data"], "none is an empty list")
	}
}

// TestLiteLLMTenThousandModels: each with an id of its own, on the page and in the API.
func TestLiteLLMTenThousandModels(t *testing.T) {
	const n = 10_000
	cfg := LiteLLMConfig{LatencyBounds: []float64{1}} // for a smaller page
	for i := range n {
		cfg.Deployments = append(cfg.Deployments, LiteLLMDeployment{Name: fmt.Sprintf("model-%05d", i), Model: fmt.Sprintf("openai/upstream-%05d", i), Unlisted: true, RPM: 1})
	}
	l := NewLiteLLM(cfg)
	for i := range n {
		l.Finish(LiteLLMRequest{Model: cfg.Deployments[i].Name, Attempts: []LiteLLMAttempt{{Deployment: i}}, Input: 1})
		l.SetHealth(i, true)
	}
	assert.Len(t, proxyJSON(t, l, "/model/info")["data"], n)
	assert.EqualValues(t, n, proxyJSON(t, l, "/health/latest")["total_models"])
	page := string(l.Page())
	assert.Equal(t, n, strings.Count(page, "\nlitellm_input_tokens_metric_total{"))
	assert.Equal(t, n, strings.Count(page, "\nlitellm_deployment_rpm_limit{"))
}
