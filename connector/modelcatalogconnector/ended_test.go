package modelcatalogconnector

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// everything is one of each fact, as one scrape of each source.
func everything() *batch {
	b := newBatch()
	serves(b.vllm("one", 8000), "qwen", ", llm.model.id=Qwen/Qwen3-32B, service.version=1")
	b.gauge("vllm.up", 1).gauge("vllm.model.context_length{gen_ai.request.model=qwen}", 32768).sum("vllm.tokens.input{gen_ai.request.model=qwen}", 1)
	offers(b.litellm(), "1", "chat", "qwen", "vllm", "gpu-1:8000")
	b.gauge("litellm.up", 1)
	b.gauge("litellm.deployment.context_length{gen_ai.request.model=chat, litellm.deployment.id=1}", 16384)
	b.gauge("litellm.deployment.price{gen_ai.request.model=chat, gen_ai.token.type=input, litellm.deployment.id=1}", 1e-6)
	b.gauge("litellm.deployment.state{litellm.deployment.id=1, litellm.deployment.state=healthy}", 1)
	b.gauge("litellm.deployment.healthy{litellm.deployment.id=1}", 1)
	b.gauge("litellm.deployment.healthy{gen_ai.request.model=chat, gen_ai.response.model=qwen}", 1)
	b.langfuse().sum("langfuse.tokens{gen_ai.request.model=chat, gen_ai.token.type=input}", 1)
	return b
}

// TestEnds: a point without a value takes back what its series said.
func TestEnds(t *testing.T) {
	info := "litellm.deployment.info{gen_ai.request.model=chat, gen_ai.response.model=qwen, gen_ai.provider.name=vllm, litellm.deployment.id=1, litellm.deployment.address=gpu-1:8000}"
	tests := []struct {
		name  string
		ends  func(*batch)
		check func(*assert.Assertions, reading)
	}{
		{"model of a server", func(b *batch) {
			b.vllm("one", 8000).end("vllm.model.info{gen_ai.provider.name=vllm, gen_ai.request.model=qwen, llm.model.id=Qwen/Qwen3-32B, service.version=1}")
		}, func(a *assert.Assertions, r reading) {
			a.Contains(r.of("llm.model.info")["chat"][0], "llm.model.origins=litellm,")
			a.InDelta(16384, r.values["llm.model.context_length{gen_ai.request.model=chat}"], 0)
			a.Equal("available", r.state("chat"), "the word of the proxy")
		}},
		{"state of a server", func(b *batch) { b.vllm("one", 8000).end("vllm.server.state{vllm.server.state=ready}") }, func(a *assert.Assertions, r reading) {
			a.Equal("available", r.state("chat"), "it is up")
		}},
		{"all of the state", func(b *batch) {
			b.vllm("one", 8000).end("vllm.server.state{vllm.server.state=ready}").end("vllm.up")
			b.litellm().end("litellm.up").end("litellm.deployment.state{litellm.deployment.id=1, litellm.deployment.state=healthy}").end("litellm.deployment.healthy{litellm.deployment.id=1}")
			b.end("litellm.deployment.healthy{gen_ai.request.model=chat, gen_ai.response.model=qwen}")
		}, func(a *assert.Assertions, r reading) {
			a.Equal("unknown", r.state("chat"))
		}},
		{"check of the deployment", func(b *batch) {
			b.litellm().end("litellm.deployment.state{litellm.deployment.id=1, litellm.deployment.state=healthy}").end("litellm.deployment.healthy{litellm.deployment.id=1}")
			b.gauge("litellm.deployment.healthy{gen_ai.request.model=chat, gen_ai.response.model=qwen}", 0)
		}, func(a *assert.Assertions, r reading) {
			a.Equal("error", r.state("chat"), "that of its names is left")
		}},
		{"deployment", func(b *batch) { b.litellm().end(info) }, func(a *assert.Assertions, r reading) {
			a.Equal([]string{"qwen"}, r.models())
		}},
		{"numbers", func(b *batch) {
			b.vllm("one", 8000).end("vllm.model.context_length{gen_ai.request.model=qwen}")
			b.litellm().end("litellm.deployment.context_length{gen_ai.request.model=chat, litellm.deployment.id=1}")
			b.end("litellm.deployment.price{gen_ai.request.model=chat, gen_ai.token.type=input, litellm.deployment.id=1}")
			b.end("litellm.deployment.price{gen_ai.request.model=chat, gen_ai.token.type=output, litellm.deployment.id=1}")
		}, func(a *assert.Assertions, r reading) {
			a.Empty(r.of("llm.model.context_length"))
			a.Empty(r.of("llm.model.price"))
		}},
		{"series that are others", func(b *batch) {
			b.vllm("one", 8000).end("vllm.model.info{gen_ai.request.model=qwen, service.version=0}").end("vllm.server.state{vllm.server.state=loading}")
			b.end("vllm.model.info{gen_ai.request.model=other}").end("vllm.model.context_length{gen_ai.request.model=other}")
			b.litellm().end(strings.Replace(info, "gpu-1", "gpu-2", 1)).end(strings.Replace(info, "id=1", "id=2", 1))
			b.end("litellm.deployment.state{litellm.deployment.id=1, litellm.deployment.state=outage}").end("litellm.deployment.healthy{litellm.deployment.id=2}")
			b.end("vllm.tokens.input{gen_ai.request.model=qwen}").end("litellm.tokens.input{gen_ai.response.model=qwen}").end("langfuse.tokens")
		}, func(a *assert.Assertions, r reading) {
			a.Equal("available", r.state("chat"))
			a.Contains(r.of("llm.model.info")["chat"][0], "llm.model.origins=litellm,vllm")
			a.Empty(r.ended)
		}},
		{"of sources that are not known", func(b *batch) {
			b.vllm("two", 8001).end("vllm.up").end("vllm.server.state{vllm.server.state=ready}").end("vllm.model.info{gen_ai.request.model=qwen}")
			b.resource("service.name=litellm, service.instance.id=two").end("litellm.up").end(info).end("litellm.deployment.healthy{gen_ai.request.model=chat}")
			b.end("litellm.deployment.state{litellm.deployment.id=1, litellm.deployment.state=healthy}")
			b.langfuse().end("langfuse.tokens{gen_ai.request.model=chat, gen_ai.token.type=input}")
		}, func(a *assert.Assertions, r reading) {
			a.Equal("available", r.state("chat"))
			a.Empty(r.ended)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newProbe(t)
			p.feed(t, everything())
			require.Equal(t, "available", p.read(t).state("chat"))
			b := newBatch()
			tt.ends(b)
			p.feed(t, b)
			tt.check(assert.New(t), p.read(t))
		})
	}
}

// TestChange: the new series may stand before the end of the old one.
func TestChange(t *testing.T) {
	p := newProbe(t)
	p.feed(t, everything())
	before := p.read(t).info(t, "chat")
	b := newBatch()
	serves(b.vllm("one", 8000), "qwen", ", llm.model.id=Qwen/Qwen3-32B, service.version=2")
	b.end("vllm.model.info{gen_ai.provider.name=vllm, gen_ai.request.model=qwen, llm.model.id=Qwen/Qwen3-32B, service.version=1}")
	p.feed(t, b)
	r := p.read(t)
	assert.Equal(t, strings.Replace(before, "service.version=1", "service.version=2", 1), r.info(t, "chat"))
	require.Len(t, r.ended, 1, "the old series of the catalog ends")
	assert.Contains(t, r.ended[0], "service.version=1")
	assert.Empty(t, p.read(t).ended)
}

// TestExpire: what is not said again ends, each fact for itself, and nothing of it
// stays in memory.
func TestExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t)
		p.feed(t, everything())
		alive := p.read(t)
		assert.Equal(t, []string{"chat"}, alive.models())
		assert.Equal(t, 7, p.store.records, "a server, its model, its counter; a proxy, a deployment, its name, a check")

		time.Sleep(10 * time.Minute)
		b := newBatch()
		b.litellm().gauge("litellm.up", 1)
		offers(b, "1", "chat", "qwen", "vllm", "gpu-1:8000")
		p.feed(t, b)
		time.Sleep(5 * time.Minute)
		assert.Equal(t, alive.values, p.read(t).values, "no longer than expire_after")
		time.Sleep(time.Second)
		r := p.read(t)
		assert.Equal(t, []string{"chat"}, r.models())
		assert.Contains(t, r.info(t, "chat"), "llm.model.origins=litellm,")
		assert.Equal(t, "unknown", r.state("chat"))
		assert.Empty(t, r.of("llm.model.price"))
		assert.Empty(t, r.of("llm.model.tokens"))
		assert.NotEmpty(t, r.ended)
		assert.Equal(t, 3, p.store.records)

		time.Sleep(10 * time.Minute)
		r = p.read(t)
		assert.Empty(t, r.values)
		assert.NotEmpty(t, r.ended)
		assert.Zero(t, p.store.records)
		assert.Empty(t, p.store.servers)
		assert.Empty(t, p.store.proxies)
	})
}

// TestPartlyExpired: a price, or a context length, of a deployment that no one
// lists is kept as long as it is said.
func TestPartlyExpired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newProbe(t)
		p.feed(t, everything())
		time.Sleep(10 * time.Minute)
		b := newBatch()
		b.litellm().gauge("litellm.deployment.price{gen_ai.request.model=chat, gen_ai.token.type=output, litellm.deployment.id=1}", 1e-6)
		b.vllm("one", 8000).gauge("vllm.model.context_length{gen_ai.request.model=qwen}", 1000)
		p.feed(t, b)
		time.Sleep(10 * time.Minute)
		assert.Empty(t, p.read(t).models())
		assert.Equal(t, 5, p.store.records, "a server and its model, a proxy, a deployment, its name")
		for _, public := range p.store.proxies {
			assert.Len(t, public.deployments["1"].names["chat"].prices, 1)
		}
	})
}
