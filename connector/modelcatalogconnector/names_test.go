package modelcatalogconnector

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestNames: every name that a source may call a model by leads to the one that the
// engine counts with.
func TestNames(t *testing.T) {
	p := newProbe(t)
	b := newBatch()
	serves(b.vllm("one", 8000), "qwen", ", llm.model.id=Qwen/Qwen3-32B")
	b.gauge("vllm.model.info{gen_ai.request.model=qwen-latest, llm.model.id=Qwen/Qwen3-32B}", 1) // a further name
	b.gauge("vllm.model.info{gen_ai.request.model=sql, llm.model.id=/lora/sql, llm.model.parent=qwen}", 1)
	b.sum("vllm.tokens.input{gen_ai.request.model=qwen, vllm.engine=0}", 1).sum("vllm.tokens.input{gen_ai.request.model=qwen, vllm.engine=1}", 1)
	serves(b.vllm("two", 8001), "embed", ", llm.model.id=org/shared") // it has not counted yet
	serves(b.vllm("three", 8002), "rerank", ", llm.model.id=org/shared")
	b.sum("vllm.tokens.input{gen_ai.request.model=rerank}", 1).sum("vllm.tokens.input{gen_ai.request.model=rerank-lora}", 1)
	b.gauge("vllm.model.info{gen_ai.request.model=alias}", 1)
	// Two servers that count the same served name under different names.
	serves(b.vllm("four", 8003), "both", "").sum("vllm.tokens.input{gen_ai.request.model=both}", 1)
	serves(b.vllm("five", 8004), "both", "").sum("vllm.tokens.input{gen_ai.request.model=five}", 1)
	offers(b.litellm(), "1", "chat", "qwen-latest", "vllm", "")
	offers(b, "2", "gpt", "gpt-4o", "openai", "")
	offers(b, "3", "mixed", "gpt-4o", "openai", "")
	offers(b, "4", "mixed", "qwen", "vllm", "")
	offers(b, "5", "embed", "rerank", "vllm", "")
	p.feed(t, b)

	n := p.store.resolver()
	for name, want := range map[string]string{
		"qwen": "qwen", "qwen-latest": "qwen", "sql": "qwen", "embed": "embed", "rerank": "rerank", "alias": "alias", "both": "both", "gpt-4o": "gpt-4o",
	} {
		assert.Equal(t, want, n.served(name), name)
	}
	for name, want := range map[string]string{
		"chat": "qwen", "qwen-latest": "qwen", "Qwen/Qwen3-32B": "qwen", "/lora/sql": "qwen",
		"gpt": "gpt-4o", "mixed": "mixed", "both": "both", "org/shared": "org/shared", "unheard-of": "unheard-of",
		"embed": "rerank", // the public name goes first: it is what an application asks the proxy for
	} {
		assert.Equal(t, want, n.any(name), name)
	}
	assert.Same(t, n, p.store.resolver(), "it is made once")
	p.feed(t, b)
	assert.Same(t, n, p.store.resolver(), "nothing has changed")
}
