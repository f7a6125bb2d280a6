package modelcatalogconnector

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"gopkg.in/yaml.v3"
)

// TestSourcesExist: what is read here is what the receivers emit.
func TestSourcesExist(t *testing.T) {
	type spec struct {
		Resource   map[string]any `yaml:"resource_attributes"`
		Attributes map[string]struct {
			Enum []string `yaml:"enum"`
		} `yaml:"attributes"`
		Metrics map[string]struct {
			Enabled    bool     `yaml:"enabled"`
			Attributes []string `yaml:"attributes"`
		} `yaml:"metrics"`
	}
	of := func(receiver string) spec {
		text, err := os.ReadFile(filepath.Join("..", "..", "receiver", receiver+"receiver", "metadata.yaml"))
		require.NoError(t, err)
		var s spec
		require.NoError(t, yaml.Unmarshal(text, &s))
		return s
	}
	specs := map[string]spec{"vllm": of("vllm"), "litellm": of("litellm"), "langfuse": of("langfuse")}
	for metric, attributes := range map[string][]string{
		"vllm.up":                           nil,
		"vllm.server.state":                 {attrServerState},
		"vllm.model.info":                   {attrRequestModel, attrModelID, attrParent, attrDtype, attrQuantization, attrServiceVersion},
		"vllm.model.context_length":         {attrRequestModel},
		"vllm.tokens.input":                 {attrRequestModel},
		"vllm.tokens.output":                {attrRequestModel},
		"litellm.up":                        nil,
		"litellm.deployment.info":           {attrRequestModel, attrResponseModel, attrProvider, attrOperation, attrDeploymentID, attrDeploymentAt, attrModelID, attrCapabilities},
		"litellm.deployment.context_length": {attrRequestModel, attrDeploymentID},
		"litellm.deployment.price":          {attrRequestModel, attrDeploymentID, attrTokenType},
		"litellm.deployment.state":          {attrDeploymentID, attrDeploymentState},
		"litellm.deployment.healthy":        {attrDeploymentID, attrRequestModel, attrResponseModel, attrDeploymentAt},
		"litellm.tokens.input":              {attrRequestModel, attrResponseModel},
		"litellm.tokens.output":             {attrRequestModel, attrResponseModel},
		"langfuse.tokens":                   {attrRequestModel, attrTokenType},
	} {
		service, _, _ := strings.Cut(metric, ".")
		m, exists := specs[service].Metrics[metric]
		require.True(t, exists, metric)
		assert.True(t, m.Enabled, metric)
		assert.Subset(t, m.Attributes, attributes, metric)
	}
	for _, state := range specs["vllm"].Attributes[attrServerState].Enum {
		assert.Contains(t, stateOfServer, state)
	}
	for _, state := range specs["litellm"].Attributes[attrDeploymentState].Enum {
		assert.Contains(t, stateOfDeployment, state)
	}
	for service, s := range specs {
		assert.Contains(t, readers, service)
		for _, attribute := range []string{attrServiceName, attrInstanceID, attrServerAddress, attrServerPort} {
			assert.Contains(t, s.Resource, attribute, service)
		}
	}
	assert.Contains(t, specs["vllm"].Resource, attrContainerName)
	assert.Contains(t, specs["langfuse"].Resource, attrProjectID)
}

// TestNotRead: what is none of a source's, or cannot be, changes nothing.
func TestNotRead(t *testing.T) {
	p := newProbe(t)
	b := newBatch()
	b.resource("service.name=other").gauge("vllm.model.info{gen_ai.request.model=a}", 1)
	b.resource("").gauge("vllm.model.info{gen_ai.request.model=a}", 1)
	b.rm.Resource().Attributes().PutInt("service.name", 1)
	p.feed(t, b)
	assert.False(t, concerns(b.md))

	b = newBatch()
	b.vllm("one", 8000).gauge("vllm.model.info", 1).gauge("vllm.model.info{gen_ai.request.model=}", 1).gauge("vllm.requests.running{gen_ai.request.model=a}", 1)
	b.sum("vllm.tokens.input", 1)
	b.rm.ScopeMetrics().At(0).Metrics().AppendEmpty().SetName("vllm.up")
	histogram := b.rm.ScopeMetrics().At(0).Metrics().AppendEmpty()
	histogram.SetName("vllm.model.info")
	histogram.SetEmptyHistogram().DataPoints().AppendEmpty().Attributes().PutStr(attrRequestModel, "a")
	delta := b.rm.ScopeMetrics().At(0).Metrics().AppendEmpty()
	delta.SetName("vllm.tokens.input")
	delta.SetEmptySum().SetAggregationTemporality(pmetric.AggregationTemporalityDelta)
	delta.Sum().DataPoints().AppendEmpty().Attributes().PutStr(attrRequestModel, "a")
	b.litellm().gauge("litellm.deployment.info{litellm.deployment.id=1}", 1)
	b.gauge("litellm.deployment.state{litellm.deployment.state=healthy}", 1).gauge("litellm.deployment.healthy", 1).sum("litellm.tokens.input", 1)
	b.gauge("litellm.requests.finished{gen_ai.request.model=a}", 1)
	b.langfuse().sum("langfuse.tokens{gen_ai.token.type=input}", 1).sum("langfuse.tokens{gen_ai.request.model=a, gen_ai.token.type=total}", 1)
	b.sum("langfuse.cost{gen_ai.request.model=a}", 1)
	p.feed(t, b)
	r := p.read(t)
	assert.Empty(t, r.values)
	assert.Empty(t, r.ended)
}

// TestLaterVersions: a state that is not known yet is not taken for a good one.
func TestLaterVersions(t *testing.T) {
	p := newProbe(t)
	b := newBatch()
	b.vllm("one", 8000).gauge("vllm.model.info{gen_ai.request.model=qwen}", 1).gauge("vllm.server.state{vllm.server.state=dreaming}", 1)
	offers(b.litellm(), "1", "gpt", "gpt-4o", "openai", "").gauge("litellm.deployment.state{litellm.deployment.id=1, litellm.deployment.state=odd}", 1)
	p.feed(t, b)
	r := p.read(t)
	assert.Equal(t, "unknown", r.state("qwen"))
	assert.Equal(t, "unknown", r.state("gpt"))
}

// TestUpAlone: where the state is switched off, up stands for it.
func TestUpAlone(t *testing.T) {
	for value, want := range map[float64]string{1: "available", 0: "error"} {
		p := newProbe(t)
		b := newBatch()
		b.vllm("one", 8000).gauge("vllm.model.info{gen_ai.request.model=qwen}", 1).gauge("vllm.up", value)
		p.feed(t, b)
		assert.Equal(t, want, p.read(t).state("qwen"))
	}
}

// TestSeveralNamesOfADeployment: an alias gives one deployment two public names.
func TestSeveralNamesOfADeployment(t *testing.T) {
	p := newProbe(t)
	b := newBatch()
	offers(b.litellm(), "1", "gpt", "gpt-4o", "openai", "")
	offers(b, "1", "smart", "gpt-4o", "openai", "").gauge("litellm.deployment.state{litellm.deployment.id=1, litellm.deployment.state=outage}", 1)
	p.feed(t, b)
	r := p.read(t)
	assert.Equal(t, []string{"gpt", "smart"}, r.models())
	assert.Equal(t, "error", r.state("smart"))
}

// TestNoID: a deployment without an id is one all the same.
func TestNoID(t *testing.T) {
	p := newProbe(t)
	b := newBatch()
	b.litellm().gauge("litellm.deployment.info{gen_ai.request.model=gpt, gen_ai.response.model=gpt-4o}", 1)
	b.gauge("litellm.deployment.context_length{gen_ai.request.model=gpt}", 1000)
	p.feed(t, b)
	r := p.read(t)
	assert.Equal(t, []string{"gpt"}, r.models())
	assert.InDelta(t, 1000, r.values["llm.model.context_length{gen_ai.request.model=gpt}"], 0)
}

// TestChecksByName: a health check may tell names and an address instead of an id.
func TestChecksByName(t *testing.T) {
	for _, attributes := range []string{
		"gen_ai.request.model=gpt, gen_ai.response.model=gpt-4o, litellm.deployment.address=api.openai.com:443",
		"gen_ai.request.model=gpt, gen_ai.response.model=gpt-4o",
		"gen_ai.response.model=gpt-4o, litellm.deployment.address=api.openai.com:443",
		"gen_ai.response.model=gpt-4o",
		"gen_ai.request.model=gpt",
	} {
		p := newProbe(t)
		b := newBatch()
		offers(b.litellm(), "1", "gpt", "gpt-4o", "openai", "api.openai.com:443").gauge("litellm.deployment.healthy{"+attributes+"}", 0)
		b.gauge("litellm.deployment.healthy{gen_ai.response.model=gpt-4o, litellm.deployment.address=elsewhere:443}", 1)
		offers(b, "2", "other", "other", "openai", "")
		p.feed(t, b)
		r := p.read(t)
		assert.Equal(t, "error", r.state("gpt"), attributes)
		assert.Equal(t, "unknown", r.state("other"), attributes)
	}
}

// TestContainerChanges: the container of a server is noted anew.
func TestContainerChanges(t *testing.T) {
	p := newProbe(t)
	for _, name := range []string{"chat", "chat-2"} {
		b := newBatch()
		serves(b.vllm("one", 8000), "qwen", "")
		b.rm.Resource().Attributes().PutStr(attrContainerName, name)
		p.feed(t, b)
		r := p.read(t)
		assert.Contains(t, r.of("llm.model.route")["qwen"][0], "container.name="+name+",")
	}
}

// TestLongTexts: a value is cut, a name is not.
func TestLongTexts(t *testing.T) {
	p := newProbe(t)
	long := strings.Repeat("ä", 200) // two bytes each
	b := newBatch()
	serves(b.vllm("one", 8000), "qwen", ", llm.model.id="+long+", service.version=1\xff2")
	b.gauge("vllm.model.info{gen_ai.request.model="+long+"}", 1).sum("vllm.tokens.input{gen_ai.request.model="+long+"}", 1)
	offers(b.litellm(), "1", "gpt", long, "openai", "").sum("litellm.tokens.input{gen_ai.response.model="+long+"}", 1)
	b.langfuse().sum("langfuse.tokens{gen_ai.request.model="+long+", gen_ai.token.type=input}", 1)
	p.feed(t, b)
	assert.EqualValues(t, 5, p.store.refused[refusedName])
	r := p.read(t)
	assert.Equal(t, []string{"qwen"}, r.models())
	assert.Contains(t, r.info(t, "qwen"), "llm.model.id="+strings.Repeat("ä", maxText/2)+",")
	assert.Contains(t, r.info(t, "qwen"), "service.version=12")
	require.Equal(t, 1, p.logs.Len())
	assert.Equal(t, "A name may have 256 bytes.", p.logs.All()[0].ContextMap()["hint"])
}

// TestNoRoomForTotals: names that come to mean other models are counted as refused
// where there is no room for their totals.
func TestNoRoomForTotals(t *testing.T) {
	p := newProbe(t, func(cfg *Config) { cfg.MaxSeries = 1 })
	feed := func(served string) {
		b := newBatch()
		offers(b.litellm(), "1", "chat", served, "openai", "")
		b.langfuse().sum("langfuse.tokens{gen_ai.request.model=chat, gen_ai.token.type=input}", 1)
		p.feed(t, b)
	}
	feed("a")
	assert.Contains(t, p.read(t).of("llm.model.info"), "chat")
	require.Zero(t, p.logs.Len())
	feed("b")
	assert.InDelta(t, -1, p.read(t).tokens("b", "input", "langfuse"), 0)
	assert.Equal(t, 1, p.logs.Len())
}

// TestTooMany: 10,000 of each, again and again: memory stays within its bounds, the
// first ones stay in the catalog, and one line says so.
func TestTooMany(t *testing.T) {
	p := newProbe(t, func(cfg *Config) { cfg.MaxModels, cfg.MaxSeries = 100, 100 })
	for range 3 {
		b := newBatch()
		b.vllm("one", 8000)
		for i := range 10_000 {
			serves(b, fmt.Sprintf("served-%05d", 9_999-i), "").sum(fmt.Sprintf("vllm.tokens.input{gen_ai.request.model=served-%d}", i), 1)
		}
		b.litellm()
		for i := range 10_000 {
			offers(b, strconv.Itoa(i), fmt.Sprintf("public-%d", i), "served", "openai", "")
			b.gauge(fmt.Sprintf("litellm.deployment.healthy{gen_ai.request.model=unlisted-%d}", i), 1)
		}
		b.langfuse()
		for i := range 10_000 {
			b.sum(fmt.Sprintf("langfuse.tokens{gen_ai.request.model=m-%d, gen_ai.token.type=input}", i), 1)
		}
		p.feed(t, b)
		assert.LessOrEqual(t, p.store.records, 800)
		assert.Len(t, p.store.counters.series, 100)
		r := p.read(t)
		assert.Len(t, p.store.counters.totals, 100)
		require.Len(t, r.models(), 100)
		assert.Equal(t, "served-09600", r.models()[0], "the first that fit, and of these the first by name")
		assert.Empty(t, r.ended)
	}
	assert.Equal(t, 2, p.logs.Len(), "%v", p.logs.All())
	// One that would stand before them does not push one out.
	b := newBatch()
	serves(b.vllm("two", 8001), "a-new-one", "")
	p.store.limit++
	p.store.limit++
	p.feed(t, b)
	assert.NotContains(t, p.read(t).models(), "a-new-one")
}
