package modelcatalogconnector

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseFaults(t *testing.T) {
	tests := []struct {
		name, file, want string
	}{
		{"unknown key", "models:\n  - name: a\n    descriptio: x", `line 3: there is no key "descriptio": the keys are add, capabilities, context_length, deprecated, description, dtype, endpoint, hidden, id, link, name, parameters, price_per_million_tokens, provider, quantization, replacement, state, type`},
		{"unknown top key", "model: []", `line 1: there is no key "model": the file has one key, "models"`},
		{"no map", "- name: a", `line 1: the file must be a map of keys and values`},
		{"no list", "models: {name: a}", `line 1: "models" must be a list of entries such as {name: chat, description: For everyday use}`},
		{"no entry", "models:\n  - chat", `line 2: an entry of "models" must be a map of keys and values`},
		{"no name", "models:\n  - description: x", `line 2: the entry must have a "name": that of a model, or a pattern such as qwen3-*`},
		{"empty name", "models:\n  - name: ' '", `line 2: the entry must have a "name": that of a model, or a pattern such as qwen3-*`},
		{"two names", "models:\n  - name: a\n  - name: b\n  - name: a", `line 4: "a" stands in line 2 already: put both entries together`},
		{"two keys", "models:\n  - name: a\n    id: x\n    id: y", `line 4: "id" stands twice in an entry of "models"`},
		{"name of no text", "models:\n  - name: [a]", `line 2: "name" must be a text; "" shows none`},
		{"no value", "models:\n  - name: a\n    link:", `line 3: "link" must be a text; "" shows none`},
		{"long name", "models:\n  - name: " + strings.Repeat("a", 257), `line 2: "name" must have at most 256 bytes, not 257`},
		{"long description", "models:\n  - name: a\n    description: " + strings.Repeat("a", 1025), `line 3: "description" must have at most 1024 bytes, not 1025`},
		{"link", "models:\n  - name: a\n    link: javascript:alert(1)", `line 3: "link" must be an http or https URL without user and password`},
		{"endpoint", "models:\n  - name: a\n    endpoint: https://user:secret@example.org", `line 3: "endpoint" must be an http or https URL without user and password`},
		{"type", "models:\n  - name: a\n    type: Chat model", `line 3: "type" must be what the model does, such as chat, embeddings or rerank`},
		{"date", "models:\n  - name: a\n    deprecated: soon", `line 3: "deprecated" must be a day such as 2026-12-31`},
		{"context length", "models:\n  - name: a\n    context_length: 32k", `line 3: "context_length" must be a whole number of tokens, such as 32768`},
		{"no context length", "models:\n  - name: a\n    context_length: 0", `line 3: "context_length" must be a whole number of tokens, such as 32768`},
		{"prices", "models:\n  - name: a\n    price_per_million_tokens: 3", `line 3: "price_per_million_tokens" must be a map of keys and values`},
		{"kind of price", "models:\n  - name: a\n    price_per_million_tokens: {in: 3}", `line 3: "price_per_million_tokens" has no "in": its keys are input, output, cache_read, cache_creation, reasoning`},
		{"price", "models:\n  - name: a\n    price_per_million_tokens: {input: free}", `line 3: "input" of "price_per_million_tokens" must be USD for a million tokens, such as 0.25`},
		{"negative price", "models:\n  - name: a\n    price_per_million_tokens: {input: -1}", `line 3: "input" of "price_per_million_tokens" must be USD for a million tokens, such as 0.25`},
		{"price that is none", "models:\n  - name: a\n    price_per_million_tokens: {input: .nan}", `line 3: "input" of "price_per_million_tokens" must be USD for a million tokens, such as 0.25`},
		{"capabilities", "models:\n  - name: a\n    capabilities: vision", `line 3: "capabilities" must be a list such as [function_calling, vision]; [] shows none`},
		{"capability", "models:\n  - name: a\n    capabilities: [[vision]]", `line 3: "capabilities" must be a text; "" shows none`},
		{"long capabilities", "models:\n  - name: a\n    capabilities: [" + strings.Repeat("a", 200) + ", " + strings.Repeat("b", 200) + "]", `line 3: "capabilities" must have at most 256 bytes together, not 401`},
		{"state", "models:\n  - name: a\n    state: up", `line 3: "state" must be one of available, loading, error, unknown`},
		{"hidden", "models:\n  - name: a\n    hidden: yes please", `line 3: "hidden" must be true or false`},
		{"add", "models:\n  - name: a\n    add: 1", `line 3: "add" must be true or false`},
		{"added pattern", "models:\n  - name: a*\n    add: true", `line 2: "add" must have a "name" without * and ?: a pattern is no model`},
		{"added and hidden", "models:\n  - name: a\n    add: true\n    hidden: true", `line 2: "add" and "hidden" exclude each other: leave the entry out`},
		{"no YAML", "models:\n  - name: a\n   id: x", "line 1: it is no YAML here or below: did not find expected '-' indicator"},
		{"not even lines", "\x00", "it is no YAML here or below: control characters are not allowed"},
		{"no end", "models:\n  - name: a\n    id: \"x", "line 3: it is no YAML here or below: found unexpected end of stream"},
		{"two documents", "models: []\n---\nmodels: []", `it has more than one document: remove the line "---" between them`},
		{"a second document that is none", "models: []\n---\n}", "line 2: it is no YAML here or below: did not find expected node content"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseOverrides([]byte(tt.file))
			require.EqualError(t, err, tt.want)
			var f *fault
			require.ErrorAs(t, err, &f)
		})
	}
}

// TestParseEmpty: a file that says nothing is none with a fault.
func TestParseEmpty(t *testing.T) {
	for _, file := range []string{"", "# only a comment\n", "---\n", "models:\n", "models: []\n", "{}"} {
		o, err := parseOverrides([]byte(file))
		require.NoError(t, err, file)
		assert.Zero(t, o.len(), file)
	}
}

// TestParseAliases: what is the same for several models may be written once.
func TestParseAliases(t *testing.T) {
	o, err := parseOverrides([]byte(`
models:
  - name: a
    price_per_million_tokens: &price {input: 1}
    capabilities: &able [vision]
    link: &link https://example.org
    hidden: &yes true
    context_length: &length 10
  - name: b
    price_per_million_tokens: *price
    capabilities: *able
    link: *link
    hidden: *yes
    context_length: *length
`))
	require.NoError(t, err)
	a, b := *o.exact["a"], *o.exact["b"]
	a.name, a.line, b.name, b.line = "", 0, "", 0
	assert.Equal(t, a, b)
	assert.Equal(t, map[string]float64{"input": 1e-6}, b.prices)
}

// TestParsePrices: a price is what was written, not what a division makes of it.
func TestParsePrices(t *testing.T) {
	o, err := parseOverrides([]byte("models: [{name: a, price_per_million_tokens: {input: 0.2, output: 2, cache_read: 1e-1, cache_creation: 0}}]"))
	require.NoError(t, err)
	assert.Equal(t, map[string]float64{"input": 2e-7, "output": 2e-6, "cache_read": 1e-7, "cache_creation": 0}, o.exact["a"].prices)
}

func FuzzParseOverrides(f *testing.F) {
	f.Add([]byte("models:\n  - name: a\n    description: x\n    capabilities: [b]\n    price_per_million_tokens: {input: 1}\n"))
	f.Add([]byte("a: &a [*a]\nmodels: *a"))
	f.Add([]byte("models: &m [{name: *m}]"))
	f.Add([]byte("? [a]\n: b"))
	f.Fuzz(func(t *testing.T, content []byte) {
		o, err := parseOverrides(content)
		if err != nil {
			var known *fault
			if !errors.As(err, &known) || known.what == "" {
				t.Errorf("no fault: %v", err)
			}
			return
		}
		o.forModel("a", values{"b"})
	})
}
