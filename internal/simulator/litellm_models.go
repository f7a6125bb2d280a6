package simulator

import (
	"net/http"
	"slices"
)

// visible are the deployments that a key may see.
func (l *LiteLLM) visible(key *LiteLLMKey) []*LiteLLMDeployment {
	var list []*LiteLLMDeployment
	for i := range l.cfg.Deployments {
		if d := &l.cfg.Deployments[i]; key.Models == nil || slices.Contains(key.Models, d.Name) {
			list = append(list, d)
		}
	}
	return list
}

func (l *LiteLLM) serveModels(w http.ResponseWriter, _ *http.Request, key *LiteLLMKey) {
	data := []map[string]any{}
	seen := make(map[string]bool)
	for _, d := range l.visible(key) {
		if !seen[d.Name] {
			seen[d.Name] = true
			data = append(data, map[string]any{"id": d.Name, "object": "model", "created": 1677610602, "owned_by": "openai"})
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"data": data, "object": "list"})
}

func (l *LiteLLM) serveModelInfo(w http.ResponseWriter, _ *http.Request, key *LiteLLMKey) {
	data := []map[string]any{}
	for _, d := range l.visible(key) {
		params := map[string]any{"model": d.Model, "custom_llm_provider": d.Provider(), "use_in_pass_through": false, "use_litellm_proxy": false}
		if d.APIBase != "" {
			params["api_base"] = d.APIBase
		}
		data = append(data, map[string]any{"model_name": d.Name, "litellm_params": params, "model_info": d.info()})
	}
	writeJSON(w, http.StatusOK, map[string]any{"data": data})
}

// liteCapabilities are the fields supports_*; most are null for most models.
var liteCapabilities = []string{
	"system_messages", "response_schema", "vision", "function_calling", "tool_choice", "assistant_prefill", "prompt_caching",
	"audio_input", "audio_output", "pdf_input", "embedding_image_input", "native_streaming", "web_search", "url_context", "reasoning", "computer_use",
}

// info is model_info of /model/info: what is not known is null.
func (d *LiteLLMDeployment) info() map[string]any {
	number := func(n int) any {
		if n == 0 {
			return nil
		}
		return n
	}
	price := func(p *float64) any {
		if p == nil {
			return nil
		}
		return *p
	}
	info := map[string]any{
		"id": d.ID, "db_model": d.Database, "key": d.Served(), "max_tokens": number(d.MaxOutput), "max_input_tokens": number(d.MaxInput), "max_output_tokens": number(d.MaxOutput),
		"input_cost_per_token": price(d.InputPrice), "output_cost_per_token": price(d.OutputPrice), "output_cost_per_reasoning_token": price(d.ReasoningPrice),
		"cache_read_input_token_cost": price(d.CacheReadPrice), "cache_creation_input_token_cost": price(d.CacheCreationPrice),
		"input_cost_per_token_above_128k_tokens": nil, "input_cost_per_character": nil, "input_cost_per_second": nil, "output_cost_per_image": nil, "tiered_pricing": nil,
		"litellm_provider": d.Provider(), "mode": nil, "tpm": number(d.TPM), "rpm": number(d.RPM), "output_vector_size": nil,
		"supported_openai_params": []string{"stream", "stop", "temperature", "top_p", "max_tokens"},
	}
	if d.Mode != "" {
		info["mode"] = d.Mode
	}
	for _, c := range liteCapabilities {
		info["supports_"+c] = nil
		if slices.Contains(d.Supports, c) {
			info["supports_"+c] = true
		}
	}
	return info
}

func (l *LiteLLM) serveModelGroups(w http.ResponseWriter, _ *http.Request, key *LiteLLMKey) {
	data := []map[string]any{}
	index := make(map[string]int)
	for _, d := range l.visible(key) {
		i, ok := index[d.Name]
		if !ok {
			i = len(data)
			index[d.Name] = i
			info := d.info()
			data = append(data, map[string]any{
				"model_group": d.Name, "providers": []string{}, "max_input_tokens": info["max_input_tokens"], "max_output_tokens": info["max_output_tokens"],
				"input_cost_per_token": info["input_cost_per_token"], "output_cost_per_token": info["output_cost_per_token"], "mode": info["mode"], "tpm": info["tpm"], "rpm": info["rpm"],
			})
		}
		if providers := data[i]["providers"].([]string); !slices.Contains(providers, d.Provider()) {
			data[i]["providers"] = append(providers, d.Provider())
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"data": data})
}
