package modelcatalogconnector

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"qwen", "qwen", true},
		{"qwen", "qwen3", false},
		{"qwen*", "qwen", true},
		{"qwen*", "qwen3-32b", true},
		{"*/qwen*", "Qwen/qwen3", true},
		{"*-8b", "qwen-8b-8b", true},
		{"*a*b*c*", "xxaxxbxxcxx", true},
		{"*a*b*c*", "xxaxxcxxbxx", false},
		{"q?en", "qwen", true},
		{"q?en", "qen", false},
		{"??", "äö", true},
		{"*", "", true},
		{"?", "", false},
		{"a*", "", false},
		{"", "", true},
		{strings.Repeat("*a", 50) + "b", strings.Repeat("a", 250), false},
	} {
		o := &override{name: tt.pattern}
		assert.Equal(t, tt.want, o.matches(tt.name), "%s %s", tt.pattern, tt.name)
	}
}

// withFile makes a file of overrides part of a configuration.
func withFile(t *testing.T, content string) (path string, change func(*Config)) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "models.yaml")
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path, func(cfg *Config) { cfg.File = path }
}

// TestOverride: all that the file can say of a model that a source knows.
func TestOverride(t *testing.T) {
	_, file := withFile(t, `
models:
  - name: chat
    description: For everyday use
    link: https://example.org/card
    type: text_completion
    provider: own
    id: org/other-7B
    parameters: 9B
    quantization: int4
    dtype: float16
    context_length: 1000
    capabilities: [vision, function_calling, vision]
    endpoint: https://chat.example.org
    price_per_million_tokens: {input: 0.5, output: 1.5}
    deprecated: 2026-12-31
    replacement: chat-2
    state: loading
`)
	p := newProbe(t, file)
	p.feed(t, everything())
	r := p.read(t)
	assert.Equal(t, "gen_ai.operation.name=text_completion, gen_ai.provider.name=own, llm.model.capabilities=function_calling,vision, "+
		"llm.model.deprecation.date=2026-12-31, llm.model.description=For everyday use, llm.model.dtype=float16, llm.model.endpoint=https://chat.example.org, "+
		"llm.model.id=org/other-7B, llm.model.link=https://example.org/card, llm.model.origins=litellm,vllm, llm.model.parameters=9B, "+
		"llm.model.quantization=int4, llm.model.replacement=chat-2, llm.model.served_name=qwen, service.version=1", r.info(t, "chat"))
	assert.InDelta(t, 1000, r.values["llm.model.context_length{gen_ai.request.model=chat}"], 0)
	assert.InDelta(t, 5e-7, r.values["llm.model.price{gen_ai.request.model=chat, gen_ai.token.type=input}"], 1e-20)
	assert.InDelta(t, 1.5e-6, r.values["llm.model.price{gen_ai.request.model=chat, gen_ai.token.type=output}"], 1e-20)
	assert.Equal(t, "available", r.state("chat"), "the sources know better")
	assert.Contains(t, r.of("llm.model.route")["chat"][0], "llm.model.endpoint=http://gpu-1:8000", "routes are as they are")
}

// TestOverrideTakesAway: an empty text is not what the sources say.
func TestOverrideTakesAway(t *testing.T) {
	_, file := withFile(t, `models: [{name: qwen, id: "", link: "", parameters: "", type: "", endpoint: ""}]`)
	p := newProbe(t, file)
	b := newBatch()
	serves(b.vllm("one", 8000), "qwen", ", llm.model.id=Qwen/Qwen3-Embedding-32B")
	p.feed(t, b)
	assert.Equal(t, "gen_ai.provider.name=vllm, llm.model.origins=vllm, llm.model.served_name=qwen", p.read(t).info(t, "qwen"))
}

// TestOverrideOrder: patterns, then served names, then the name; each key by itself.
func TestOverrideOrder(t *testing.T) {
	_, file := withFile(t, `
models:
  - {name: chat, replacement: by name}
  - {name: qwen, replacement: by served name, description: by served name, price_per_million_tokens: {input: 3}, state: error}
  - {name: "q*", replacement: by pattern, description: by pattern, quantization: by pattern, price_per_million_tokens: {input: 1, output: 2}, context_length: 7}
  - {name: "*", quantization: by later pattern, price_per_million_tokens: {output: 4}}
`)
	p := newProbe(t, file)
	b := newBatch()
	b.vllm("one", 8000).gauge("vllm.model.info{gen_ai.request.model=qwen}", 1)
	offers(b.litellm(), "1", "chat", "qwen", "vllm", "")
	p.feed(t, b)
	r := p.read(t)
	assert.Contains(t, r.info(t, "chat"), "llm.model.description=by served name, ")
	assert.Contains(t, r.info(t, "chat"), "llm.model.quantization=by later pattern, llm.model.replacement=by name, ")
	assert.Equal(t, "error", r.state("chat"), "no source knows")
	assert.InDelta(t, 3e-6, r.values["llm.model.price{gen_ai.request.model=chat, gen_ai.token.type=input}"], 1e-20)
	assert.InDelta(t, 4e-6, r.values["llm.model.price{gen_ai.request.model=chat, gen_ai.token.type=output}"], 1e-20)
	assert.InDelta(t, 7, r.values["llm.model.context_length{gen_ai.request.model=chat}"], 0)
}

// TestAddAndHide: models that no source knows, and those that nobody should see.
func TestAddAndHide(t *testing.T) {
	_, file := withFile(t, `
models:
  - {name: added, add: true, endpoint: https://added.example.org, provider: own, id: org/added-7B, state: available, type: chat}
  - {name: bare, add: true}
  - {name: qwen, add: true, description: known by now}
  - {name: not-there, description: no source knows it}
  - {name: "secret-*", hidden: true}
`)
	p := newProbe(t, file)
	b := newBatch()
	serves(b.vllm("one", 8000), "qwen", "")
	serves(b.vllm("two", 8001), "secret-model", "")
	p.feed(t, b)
	r := p.read(t)
	assert.Equal(t, []string{"added", "bare", "qwen"}, r.models())
	assert.Equal(t, "gen_ai.operation.name=chat, gen_ai.provider.name=own, llm.model.endpoint=https://added.example.org, llm.model.id=org/added-7B, "+
		"llm.model.origins=file, llm.model.parameters=7B", r.info(t, "added"))
	assert.Equal(t, "available", r.state("added"))
	assert.Equal(t, "llm.model.origins=file", r.info(t, "bare"))
	assert.Equal(t, "unknown", r.state("bare"))
	assert.Contains(t, r.info(t, "qwen"), "llm.model.description=known by now, ")
	assert.Contains(t, r.info(t, "qwen"), "llm.model.origins=vllm")
	assert.Equal(t, []string{"gen_ai.provider.name=own, llm.model.endpoint=https://added.example.org, llm.model.origin=file"}, r.of("llm.model.route")["added"])
	assert.Empty(t, r.of("llm.model.route")["bare"])
	assert.Empty(t, r.of("llm.model.state")["secret-model"])
}
