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

// serveModels answers names; owner and time are the same for all, as those of the real one are.
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

func (l *LiteLLM) serveModelInfo(w http.ResponseWriter, r *http.Request, key *LiteLLMKey) {
	id := r.URL.Query().Get("litellm_model_id")
	data := []map[string]any{}
	for _, d := range l.visible(key) {
		if id == "" || id == d.ID {
			data = append(data, map[string]any{"model_name": d.Name, "litellm_params": d.params(), "model_info": d.info()})
		}
	}
	if id != "" && len(data) == 0 {
		liteDetail(w, http.StatusBadRequest, "Model id = "+id+" not found on litellm proxy")
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"data": data})
}

// params are litellm_params, without credentials.
func (d *LiteLLMDeployment) params() map[string]any {
	params := map[string]any{
		"model": d.Model, "custom_llm_provider": d.Provider(), "use_in_pass_through": false, "use_litellm_proxy": false,
		"merge_reasoning_content_in_choices": false,
	}
	if d.APIBase != "" {
		params["api_base"] = d.APIBase
	}
	for name, n := range map[string]int{"tpm": d.TPM, "rpm": d.RPM} {
		if n > 0 {
			params[name] = n
		}
	}
	return params
}

// liteUnknown are the fields of model_info that the price list has for hardly any model: null.
var liteUnknown = []string{
	"input_cost_per_token_flex", "input_cost_per_token_priority", "cache_creation_input_token_cost_above_200k_tokens",
	"cache_read_input_token_cost_above_200k_tokens", "cache_creation_input_token_cost_above_1hr", "input_cost_per_character",
	"input_cost_per_token_above_128k_tokens", "input_cost_per_token_above_200k_tokens", "input_cost_per_query", "input_cost_per_second",
	"input_cost_per_audio_token", "input_cost_per_image", "input_cost_per_token_batches", "output_cost_per_token_batches",
	"output_cost_per_audio_token", "output_cost_per_character", "output_cost_per_token_above_128k_tokens",
	"output_cost_per_token_above_200k_tokens", "output_cost_per_second", "output_cost_per_image", "output_vector_size",
	"citation_cost_per_token", "tiered_pricing", "search_context_cost_per_query", "ocr_cost_per_page", "provider_specific_entry",
}

// liteCapabilities are the fields supports_*; most are null for most models.
var liteCapabilities = []string{
	"system_messages", "response_schema", "vision", "function_calling", "tool_choice", "assistant_prefill", "prompt_caching",
	"audio_input", "audio_output", "pdf_input", "embedding_image_input", "native_streaming", "web_search", "url_context", "reasoning", "computer_use",
}

// info is model_info of /model/info. What is not known is null, or missing where the price list does not have the model.
func (d *LiteLLMDeployment) info() map[string]any {
	info := map[string]any{"id": d.ID, "db_model": d.Database}
	if !d.Unlisted {
		info["key"], info["litellm_provider"] = d.Key, d.Provider()
		info["supported_openai_params"] = []string{"stream", "stop", "temperature", "top_p", "max_tokens", "max_completion_tokens", "tools", "tool_choice"}
		for _, name := range liteUnknown {
			info[name] = nil
		}
		for _, name := range liteCapabilities {
			info["supports_"+name] = nil
		}
	}
	note := func(name string, known bool, value any) {
		switch {
		case known:
			info[name] = value
		case !d.Unlisted:
			info[name] = nil
		}
	}
	note("mode", d.Mode != "", d.Mode)
	for name, n := range map[string]int{"max_tokens": d.MaxOutput, "max_input_tokens": d.MaxInput, "max_output_tokens": d.MaxOutput, "tpm": d.TPM, "rpm": d.RPM} {
		note(name, n > 0, n)
	}
	for name, price := range map[string]*float64{
		"input_cost_per_token": d.InputPrice, "output_cost_per_token": d.OutputPrice, "output_cost_per_reasoning_token": d.ReasoningPrice,
		"cache_read_input_token_cost": d.CacheReadPrice, "cache_creation_input_token_cost": d.CacheCreationPrice,
	} {
		note(name, price != nil, price)
	}
	for _, name := range d.Supports {
		info["supports_"+name] = true
	}
	return info
}

// serveModelGroups merges the deployments of each public name: the largest limits, the dearest prices, all capabilities.
func (l *LiteLLM) serveModelGroups(w http.ResponseWriter, r *http.Request, key *LiteLLMKey) {
	only := r.URL.Query().Get("model_group")
	data := []*liteGroup{}
	index := make(map[string]*liteGroup)
	for _, d := range l.visible(key) {
		if only != "" && only != d.Name {
			continue
		}
		g := index[d.Name]
		if g == nil {
			g = &liteGroup{Name: d.Name, Mode: "chat"}
			index[d.Name] = g
			data = append(data, g)
		}
		g.add(d)
	}
	writeJSON(w, http.StatusOK, map[string]any{"data": data})
}

// liteGroup is an entry of /model_group/info.
type liteGroup struct {
	Name        string   `json:"model_group"`
	Providers   []string `json:"providers"`
	MaxInput    *int     `json:"max_input_tokens"`
	MaxOutput   *int     `json:"max_output_tokens"`
	InputPrice  *float64 `json:"input_cost_per_token"`
	OutputPrice *float64 `json:"output_cost_per_token"`
	Mode        string   `json:"mode"`
	TPM         *int     `json:"tpm"`
	RPM         *int     `json:"rpm"`
	Vision      bool     `json:"supports_vision"`
	Functions   bool     `json:"supports_function_calling"`
	Reasoning   bool     `json:"supports_reasoning"`
}

func (g *liteGroup) add(d *LiteLLMDeployment) {
	if !slices.Contains(g.Providers, d.Provider()) {
		g.Providers = append(g.Providers, d.Provider())
	}
	if d.Mode != "" {
		g.Mode = d.Mode
	}
	for _, limit := range []struct {
		group **int
		own   int
	}{{&g.MaxInput, d.MaxInput}, {&g.MaxOutput, d.MaxOutput}, {&g.TPM, d.TPM}, {&g.RPM, d.RPM}} {
		if limit.own > 0 && (*limit.group == nil || **limit.group < limit.own) {
			*limit.group = &limit.own
		}
	}
	for _, price := range []struct {
		group **float64
		own   *float64
	}{{&g.InputPrice, d.InputPrice}, {&g.OutputPrice, d.OutputPrice}} {
		if price.own != nil && (*price.group == nil || **price.group < *price.own) {
			*price.group = price.own
		}
	}
	g.Vision = g.Vision || slices.Contains(d.Supports, "vision")
	g.Functions = g.Functions || slices.Contains(d.Supports, "function_calling")
	g.Reasoning = g.Reasoning || slices.Contains(d.Supports, "reasoning")
}
