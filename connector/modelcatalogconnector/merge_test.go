package modelcatalogconnector

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// Pieces of what the sources say.
func offers(b *batch, id, public, served, provider, address string) *batch {
	return b.gauge("litellm.deployment.info{gen_ai.request.model="+public+", gen_ai.response.model="+served+", gen_ai.provider.name="+provider+
		", litellm.deployment.id="+id+", litellm.deployment.address="+address+"}", 1)
}

func serves(b *batch, served, more string) *batch {
	return b.gauge("vllm.server.state{vllm.server.state=ready}", 1).gauge("vllm.model.info{gen_ai.provider.name=vllm, gen_ai.request.model="+served+more+"}", 1)
}

// TestMerge: what was worked out by hand. The entries are their info and routes.
func TestMerge(t *testing.T) {
	tests := []struct {
		name   string
		feed   func(*batch)
		change func(*Config)
		info   map[string]string
		routes map[string][]string
	}{
		{
			name: "only a server",
			feed: func(b *batch) {
				serves(b.vllm("one", 8000), "qwen", ", llm.model.id=Qwen/Qwen3-32B, llm.model.dtype=bfloat16, llm.model.quantization=fp8, service.version=0.11.0")
				b.gauge("vllm.model.context_length{gen_ai.request.model=qwen}", 32768)
			},
			info: map[string]string{"qwen": "gen_ai.provider.name=vllm, llm.model.dtype=bfloat16, llm.model.endpoint=http://gpu-1:8000, llm.model.id=Qwen/Qwen3-32B, " +
				"llm.model.link=https://huggingface.co/Qwen/Qwen3-32B, llm.model.origins=vllm, llm.model.parameters=32B, llm.model.quantization=fp8, " +
				"llm.model.served_name=qwen, service.version=0.11.0"},
			routes: map[string][]string{"qwen": {"gen_ai.provider.name=vllm, llm.model.endpoint=http://gpu-1:8000, llm.model.origin=vllm, llm.model.served_name=qwen, service.instance.id=one"}},
		},
		{
			name: "only a proxy",
			feed: func(b *batch) {
				b.litellm().gauge("litellm.up", 1).gauge("litellm.deployment.info{gen_ai.request.model=gpt, gen_ai.response.model=gpt-4o, gen_ai.provider.name=azure.ai.openai, "+
					"gen_ai.operation.name=chat, litellm.deployment.id=1, llm.model.id=azure/gpt-4o, llm.model.capabilities=function_calling,vision}", 1)
			},
			info: map[string]string{"gpt": "gen_ai.operation.name=chat, gen_ai.provider.name=azure.ai.openai, llm.model.capabilities=function_calling,vision, " +
				"llm.model.endpoint=http://llm.example.org:4000, llm.model.id=azure/gpt-4o, llm.model.origins=litellm, llm.model.served_name=gpt-4o"},
			routes: map[string][]string{"gpt": {"gen_ai.provider.name=azure.ai.openai, llm.model.endpoint=http://llm.example.org:4000, llm.model.origin=litellm, llm.model.served_name=gpt-4o, service.instance.id=proxy"}},
		},
		{
			name: "both: one entry",
			feed: func(b *batch) {
				serves(b.vllm("one", 8000), "qwen", ", llm.model.id=/models/qwen")
				offers(b.litellm(), "1", "chat", "qwen", "vllm", "gpu-1:8000")
			},
			info: map[string]string{"chat": "gen_ai.provider.name=vllm, llm.model.endpoint=http://llm.example.org:4000, llm.model.id=/models/qwen, llm.model.origins=litellm,vllm, llm.model.served_name=qwen"},
			routes: map[string][]string{"chat": {
				"gen_ai.provider.name=vllm, llm.model.endpoint=http://gpu-1:8000, llm.model.origin=vllm, llm.model.served_name=qwen, service.instance.id=one",
				"gen_ai.provider.name=vllm, llm.model.endpoint=http://llm.example.org:4000, llm.model.origin=litellm, llm.model.served_name=qwen, service.instance.id=proxy",
			}},
		},
		{
			name: "two public names of one served name",
			feed: func(b *batch) {
				serves(b.vllm("one", 8000), "qwen", "")
				offers(b.litellm(), "1", "chat", "qwen", "vllm", "elsewhere:1")
				offers(b, "2", "code", "qwen", "vllm", "elsewhere:1")
			},
			info: map[string]string{
				"chat": "gen_ai.provider.name=vllm, llm.model.endpoint=http://llm.example.org:4000, llm.model.origins=litellm,vllm, llm.model.served_name=qwen",
				"code": "gen_ai.provider.name=vllm, llm.model.endpoint=http://llm.example.org:4000, llm.model.origins=litellm,vllm, llm.model.served_name=qwen",
			},
		},
		{
			name: "the address chooses the server; the other one is an entry of its own",
			feed: func(b *batch) {
				serves(b.vllm("one", 8000), "qwen", ", service.version=1")
				serves(b.vllm("two", 8001), "qwen", ", service.version=2")
				offers(b.litellm(), "1", "chat", "qwen", "vllm", "gpu-1:8001")
			},
			info: map[string]string{
				"chat": "gen_ai.provider.name=vllm, llm.model.endpoint=http://llm.example.org:4000, llm.model.origins=litellm,vllm, llm.model.served_name=qwen, service.version=2",
				"qwen": "gen_ai.provider.name=vllm, llm.model.endpoint=http://gpu-1:8000, llm.model.origins=vllm, llm.model.served_name=qwen, service.version=1",
			},
		},
		{
			name: "no address tells: all servers of the name",
			feed: func(b *batch) {
				serves(b.vllm("one", 8000), "qwen", ", service.version=1")
				serves(b.vllm("two", 8001), "qwen", ", service.version=2")
				offers(b.litellm(), "1", "chat", "qwen", "vllm", "10.0.0.1:8000")
			},
			info: map[string]string{
				"chat": "gen_ai.provider.name=vllm, llm.model.endpoint=http://llm.example.org:4000, llm.model.origins=litellm,vllm, llm.model.served_name=qwen, service.version=1,2",
			},
		},
		{
			name: "several servers, no proxy: one entry, as far as they differ",
			feed: func(b *batch) {
				serves(b.vllm("one", 8000), "qwen", ", llm.model.id=Qwen/Qwen3-8B, llm.model.quantization=fp8, service.version=2")
				serves(b.vllm("two", 8001), "qwen", ", llm.model.id=Qwen/Qwen3-8B-AWQ, llm.model.quantization=awq, service.version=1")
				b.vllm("three", 8002).gauge("vllm.model.info{gen_ai.request.model=qwen}", 1)
			},
			info: map[string]string{"qwen": "gen_ai.provider.name=vllm, llm.model.endpoint=http://gpu-1:8000, llm.model.id=Qwen/Qwen3-8B,Qwen/Qwen3-8B-AWQ, llm.model.origins=vllm, " +
				"llm.model.parameters=8B, llm.model.quantization=awq,fp8, llm.model.served_name=qwen, service.version=1,2"},
		},
		{
			name: "the same public and served name",
			feed: func(b *batch) {
				serves(b.vllm("one", 8000), "qwen", "")
				offers(b.litellm(), "1", "qwen", "qwen", "vllm", "gpu-1:8000")
			},
			info: map[string]string{"qwen": "gen_ai.provider.name=vllm, llm.model.endpoint=http://llm.example.org:4000, llm.model.origins=litellm,vllm, llm.model.served_name=qwen"},
		},
		{
			name: "an openai-compatible deployment is the server at its address, and no other",
			feed: func(b *batch) {
				serves(b.vllm("one", 8000), "qwen", "")
				offers(b.litellm(), "1", "chat", "qwen", "openai", "gpu-1:8000")
				offers(b, "2", "cloud", "qwen", "openai", "api.openai.com:443")
			},
			info: map[string]string{
				"chat":  "gen_ai.provider.name=vllm, llm.model.endpoint=http://llm.example.org:4000, llm.model.origins=litellm,vllm, llm.model.served_name=qwen",
				"cloud": "gen_ai.provider.name=openai, llm.model.endpoint=http://llm.example.org:4000, llm.model.origins=litellm, llm.model.served_name=qwen",
			},
		},
		{
			name: "a public name that is the served name of another model is not that model",
			feed: func(b *batch) {
				serves(b.vllm("one", 8000), "qwen", ", service.version=1")
				offers(b.litellm(), "1", "chat", "qwen", "vllm", "gpu-1:8000")
				offers(b, "2", "qwen", "qwen-max", "dashscope", "")
			},
			info: map[string]string{
				"chat": "gen_ai.provider.name=vllm, llm.model.endpoint=http://llm.example.org:4000, llm.model.origins=litellm,vllm, llm.model.served_name=qwen, service.version=1",
				"qwen": "gen_ai.provider.name=dashscope, llm.model.endpoint=http://llm.example.org:4000, llm.model.origins=litellm, llm.model.served_name=qwen-max",
			},
		},
		{
			name: "deployments of several providers: capabilities of all",
			feed: func(b *batch) {
				b.litellm()
				for i, of := range []string{
					"gen_ai.provider.name=openai, gen_ai.operation.name=chat, llm.model.capabilities=function_calling,pdf_input,vision",
					"gen_ai.provider.name=azure.ai.openai, gen_ai.operation.name=chat, llm.model.capabilities=vision,function_calling",
					"gen_ai.provider.name=openai, gen_ai.operation.name=responses",
				} {
					b.gauge("litellm.deployment.info{gen_ai.request.model=gpt, gen_ai.response.model=gpt-4o, litellm.deployment.id="+string(rune('1'+i))+", "+of+"}", 1)
				}
			},
			info: map[string]string{"gpt": "gen_ai.operation.name=chat,responses, gen_ai.provider.name=azure.ai.openai,openai, llm.model.capabilities=function_calling,vision, " +
				"llm.model.endpoint=http://llm.example.org:4000, llm.model.origins=litellm, llm.model.served_name=gpt-4o"},
			routes: map[string][]string{"gpt": {
				"gen_ai.provider.name=azure.ai.openai, llm.model.endpoint=http://llm.example.org:4000, llm.model.origin=litellm, llm.model.served_name=gpt-4o, service.instance.id=proxy",
				"gen_ai.provider.name=openai, llm.model.endpoint=http://llm.example.org:4000, llm.model.origin=litellm, llm.model.served_name=gpt-4o, service.instance.id=proxy",
			}},
		},
		{
			name: "an adapter",
			feed: func(b *batch) {
				serves(b.vllm("one", 8000), "qwen", ", llm.model.id=Qwen/Qwen3-8B")
				b.gauge("vllm.model.info{gen_ai.request.model=sql, llm.model.id=/lora/sql, llm.model.parent=qwen}", 1)
				offers(b.litellm(), "1", "sql-expert", "sql", "vllm", "gpu-1:8000")
			},
			info: map[string]string{
				"qwen":       "gen_ai.provider.name=vllm, llm.model.endpoint=http://gpu-1:8000, llm.model.id=Qwen/Qwen3-8B, llm.model.link=https://huggingface.co/Qwen/Qwen3-8B, llm.model.origins=vllm, llm.model.parameters=8B, llm.model.served_name=qwen",
				"sql-expert": "gen_ai.provider.name=vllm, llm.model.endpoint=http://llm.example.org:4000, llm.model.id=/lora/sql, llm.model.origins=litellm,vllm, llm.model.parent=qwen, llm.model.served_name=sql",
			},
		},
		{
			name: "a pattern of the proxy cannot be called",
			feed: func(b *batch) { offers(b.litellm(), "1", "openai/*", "*", "openai", "") },
		},
		{
			name: "an embedding model in a container, at configured addresses",
			feed: func(b *batch) {
				serves(b.resource("service.name=vllm, service.instance.id=embed, container.name=embed"), "e5", ", llm.model.id=Qwen/Qwen3-Embedding-0.6B")
				serves(b.vllm("one", 8000), "chat", "")
				offers(b.litellm(), "1", "gte", "e5", "openai", "embed:8000")
			},
			change: func(cfg *Config) {
				cfg.Endpoints = EndpointsConfig{LiteLLM: "https://llm.example.org", VLLM: "https://engines.example.org"}
			},
			info: map[string]string{
				"gte":  "gen_ai.operation.name=embeddings, gen_ai.provider.name=vllm, llm.model.endpoint=https://llm.example.org, llm.model.id=Qwen/Qwen3-Embedding-0.6B, llm.model.link=https://huggingface.co/Qwen/Qwen3-Embedding-0.6B, llm.model.origins=litellm,vllm, llm.model.parameters=0.6B, llm.model.served_name=e5",
				"chat": "gen_ai.provider.name=vllm, llm.model.endpoint=https://engines.example.org, llm.model.origins=vllm, llm.model.served_name=chat",
			},
			routes: map[string][]string{
				"gte": {
					"container.name=embed, gen_ai.provider.name=vllm, llm.model.endpoint=https://engines.example.org, llm.model.origin=vllm, llm.model.served_name=e5, service.instance.id=embed",
					"gen_ai.provider.name=vllm, llm.model.endpoint=https://llm.example.org, llm.model.origin=litellm, llm.model.served_name=e5, service.instance.id=proxy",
				},
				"chat": {"gen_ai.provider.name=vllm, llm.model.endpoint=https://engines.example.org, llm.model.origin=vllm, llm.model.served_name=chat, service.instance.id=one"},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := newProbe(t, func(cfg *Config) {
				if tt.change != nil {
					tt.change(cfg)
				}
			})
			b := newBatch()
			tt.feed(b)
			p.feed(t, b)
			r := p.read(t)
			info := map[string]string{}
			for model := range r.of("llm.model.info") {
				info[model] = r.info(t, model)
			}
			if tt.info == nil {
				tt.info = map[string]string{}
			}
			assert.Equal(t, tt.info, info)
			if tt.routes != nil {
				assert.Equal(t, tt.routes, r.of("llm.model.route"))
			}
		})
	}
}

// TestNumbers: the least context length, the highest price.
func TestNumbers(t *testing.T) {
	p := newProbe(t)
	b := newBatch()
	serves(b.vllm("one", 8000), "qwen", "").gauge("vllm.model.context_length{gen_ai.request.model=qwen}", 16384)
	serves(b.vllm("two", 8001), "qwen", "").gauge("vllm.model.context_length{gen_ai.request.model=qwen}", 8192)
	serves(b.vllm("three", 8002), "long", "").gauge("vllm.model.context_length{gen_ai.request.model=long}", 0)
	offers(b.litellm(), "1", "chat", "qwen", "vllm", "gpu-1:8000")
	offers(b, "2", "chat", "qwen", "openai", "")
	for _, of := range []struct {
		id     string
		length float64
		prices map[string]float64
	}{
		{"1", 32768, map[string]float64{"input": 1e-6, "output": 3e-6, "other": 1}},
		{"2", 128000, map[string]float64{"input": 2e-6, "output": 2e-6, "cache_read": 5e-7}},
	} {
		b.gauge("litellm.deployment.context_length{gen_ai.request.model=chat, litellm.deployment.id="+of.id+"}", of.length)
		for kind, price := range of.prices {
			b.gauge("litellm.deployment.price{gen_ai.request.model=chat, gen_ai.token.type="+kind+", litellm.deployment.id="+of.id+"}", price)
		}
	}
	offers(b, "3", "free", "whisper", "openai", "")
	for _, kind := range []string{"input", "output"} { // not paid for by tokens
		b.gauge("litellm.deployment.price{gen_ai.request.model=free, gen_ai.token.type="+kind+", litellm.deployment.id=3}", 0)
	}
	offers(b, "4", "embed", "embed", "openai", "")
	b.gauge("litellm.deployment.price{gen_ai.request.model=embed, gen_ai.token.type=input, litellm.deployment.id=4}", 1e-7)
	b.gauge("litellm.deployment.price{gen_ai.request.model=embed, gen_ai.token.type=output, litellm.deployment.id=4}", 0)
	p.feed(t, b)
	r := p.read(t)
	values := map[string]float64{}
	for series, value := range r.values {
		for _, metric := range []string{"llm.model.context_length{", "llm.model.price{"} {
			if len(series) > len(metric) && series[:len(metric)] == metric {
				values[series] = value
			}
		}
	}
	assert.Equal(t, map[string]float64{
		"llm.model.context_length{gen_ai.request.model=chat}":                      16384,
		"llm.model.context_length{gen_ai.request.model=qwen}":                      8192,
		"llm.model.price{gen_ai.request.model=embed, gen_ai.token.type=input}":     1e-7,
		"llm.model.price{gen_ai.request.model=embed, gen_ai.token.type=output}":    0,
		"llm.model.price{gen_ai.request.model=chat, gen_ai.token.type=cache_read}": 5e-7,
		"llm.model.price{gen_ai.request.model=chat, gen_ai.token.type=input}":      2e-6,
		"llm.model.price{gen_ai.request.model=chat, gen_ai.token.type=output}":     3e-6,
	}, values)
}
