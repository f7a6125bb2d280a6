package litellmreceiver

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// allLabels switches all optional labels on.
func allLabels(cfg *Config) {
	on := LabelConfig{Enabled: true, Max: 10}
	cfg.Labels = LabelsConfig{KeyAlias: on, KeyHash: on, Team: on, TeamAlias: on, User: on, EndUser: on, Organization: on, OrganizationAlias: on, Route: on}
}

func readPage(t *testing.T, page string, changes ...func(*Config)) readings {
	t.Helper()
	return newProbe(t, newClock(), serve(t, replay([]byte(page))), append([]func(*Config){everything}, changes...)...).read(t)
}

func TestOptionalLabels(t *testing.T) {
	want := map[string]string{
		"litellm.key.alias": "key-", "litellm.key.hash": "", "litellm.team.id": "team-1", "litellm.team.alias": "Team One", "litellm.user.id": "user-",
		"litellm.end_user.id": "end-", "http.route": "/v1/chat/completions", "litellm.organization.id": "org-1", "litellm.organization.alias": "Org One",
	}
	found := map[string]bool{}
	for _, version := range simulator.LiteLLMVersions() {
		c := newClock()
		_, url := newSimulated(t, c, simulator.LiteLLMConfig{Version: version})
		got := newProbe(t, c, url, pageOnly, allLabels).read(t)
		for _, r := range got.of("litellm.requests.finished") {
			for attribute, value := range want {
				if v, ok := r.attributes[attribute].(string); ok {
					assert.Contains(t, v, value, "%s in %s", attribute, version)
					found[attribute] = true
				}
			}
		}
		for key := range got {
			assert.NotContains(t, key, "user@example.com", "addresses of users are never kept")
			assert.NotContains(t, key, "192.0.2.")
		}
		assert.InDelta(t, 100, got.value(t, "litellm.budget.limit{litellm.budget.entity.type=team,litellm.team.alias=Team One,litellm.team.id=team-1}"), 0)
		require.Len(t, got.of("litellm.key.remaining_requests"), 1, "the other key has no limit")
		assert.Equal(t, "key-a", got.of("litellm.key.remaining_requests")[0].attributes["litellm.key.alias"])
	}
	for attribute := range want {
		assert.True(t, found[attribute], attribute)
	}
}

// TestBudgets: what is left is that of each entity with its label, else the least.
func TestBudgets(t *testing.T) {
	const page = `# TYPE litellm_remaining_team_budget_metric gauge
litellm_remaining_team_budget_metric{team="1",team_alias="a"} 30
litellm_remaining_team_budget_metric{team="2",team_alias="b"} -4
litellm_remaining_team_budget_metric{team="3",team_alias="c"} +Inf
litellm_remaining_team_budget_metric{team="4",team_alias="None"} 9.223372036854776e+18
# TYPE litellm_team_max_budget_metric gauge
litellm_team_max_budget_metric{team="1",team_alias="a"} 100
litellm_team_max_budget_metric{team="2",team_alias="b"} 200
litellm_team_max_budget_metric{team="3",team_alias="c"} +Inf
# TYPE litellm_team_budget_remaining_hours_metric gauge
litellm_team_budget_remaining_hours_metric{team="1",team_alias="a"} 5
litellm_team_budget_remaining_hours_metric{team="2",team_alias="b"} 0.5
`
	got := readPage(t, page)
	assert.InDelta(t, -4, got.value(t, "litellm.budget.remaining{litellm.budget.entity.type=team}"), 0)
	assert.InDelta(t, 1800, got.value(t, "litellm.budget.reset{litellm.budget.entity.type=team}"), 0)
	assert.Empty(t, got.of("litellm.budget.limit"))
	assert.Empty(t, got.problems())

	got = readPage(t, page, func(cfg *Config) { cfg.Labels.TeamAlias = LabelConfig{Enabled: true, Max: 10} })
	assert.InDelta(t, 30, got.value(t, "litellm.budget.remaining{litellm.budget.entity.type=team,litellm.team.alias=a}"), 0)
	assert.InDelta(t, -4, got.value(t, "litellm.budget.remaining{litellm.budget.entity.type=team,litellm.team.alias=b}"), 0)
	assert.Len(t, got.of("litellm.budget.remaining"), 2)
	assert.InDelta(t, 200, got.value(t, "litellm.budget.limit{litellm.budget.entity.type=team,litellm.team.alias=b}"), 0)
	assert.Len(t, got.of("litellm.budget.limit"), 2)

	got = readPage(t, page, func(cfg *Config) { cfg.Labels.TeamAlias = LabelConfig{Enabled: true, Max: 1} })
	assert.InDelta(t, -4, got.value(t, "litellm.budget.remaining{litellm.budget.entity.type=team,litellm.team.alias=other}"), 0)
	assert.Len(t, got.of("litellm.budget.limit"), 1, "several limits together say nothing")
}

func TestTags(t *testing.T) {
	const page = `# TYPE litellm_spend_metric_total counter
litellm_spend_metric_total{model="a",tag_prod="true",tag_batch_1="false",tag_x="true"} 1
litellm_spend_metric_total{model="a",tag_prod="true",tag_batch_1="true",tag_x="false"} 2
litellm_spend_metric_total{model="a",tag_prod="false",tag_batch_1="false",tag_x="true"} 4
litellm_spend_metric_total{model="a",tag_prod="true",tag_batch_1="false",tag_x="false"} 8
`
	got := readPage(t, page, func(cfg *Config) { cfg.Labels.Tags.Names = []string{"prod", "batch-1"} })
	assert.InDelta(t, 9, got.value(t, "litellm.spend{gen_ai.response.model=a,litellm.tags=prod}"), 0)
	assert.InDelta(t, 2, got.value(t, "litellm.spend{gen_ai.response.model=a,litellm.tags=batch-1,prod}"), 0)
	assert.InDelta(t, 4, got.value(t, "litellm.spend{gen_ai.response.model=a}"), 0)
	assert.InDelta(t, 15, readPage(t, page).value(t, "litellm.spend{gen_ai.response.model=a}"), 0)
}

// TestOverflow: beyond the limit sums stay right, names stay what they were, and the
// log says it once.
func TestOverflow(t *testing.T) {
	page := func(first int) []byte {
		var b strings.Builder
		b.WriteString("# TYPE litellm_proxy_total_requests_metric_total counter\n")
		for i := range 40 {
			_, _ = fmt.Fprintf(&b, "litellm_proxy_total_requests_metric_total{requested_model=\"m%d\",api_key_alias=\"k%d\",status_code=\"200\"} 1\n", (first+i)%40, (first+i)%40)
		}
		return []byte(b.String())
	}
	at := 0
	c := newClock()
	p := newProbe(t, c, serve(t, httpHandler(func() []byte { return page(at) })), func(cfg *Config) {
		cfg.MaxModels = 5
		cfg.Labels.KeyAlias = LabelConfig{Enabled: true, Max: 3}
	})
	first := p.read(t)
	assert.InDelta(t, 40, first.sum("litellm.requests.finished"), 0)
	assert.Len(t, first.of("litellm.requests.finished"), 6)
	assert.InDelta(t, 35, first.value(t, "litellm.scrape.overflow_series{litellm.label=gen_ai.request.model}"), 0)
	assert.InDelta(t, 37, first.value(t, "litellm.scrape.overflow_series{litellm.label=litellm.key.alias}"), 0)
	at = 20 // in another order
	again := p.read(t)
	for _, r := range first.of("litellm.requests.finished") {
		assert.InDelta(t, r.value, again.value(t, seriesName(r.metric, r.attributes)), 0)
	}
	var settings []any
	for _, entry := range p.logs.All() {
		settings = append(settings, entry.ContextMap()["setting"])
	}
	assert.Equal(t, []any{"max_models", "labels::key_alias::max"}, settings, "one line each")
}

func TestSettings(t *testing.T) {
	assert.Equal(t, "max_models", settingOf(attrFallbackModel))
	assert.Equal(t, "labels::tags", settingOf(attrTags))
	assert.Equal(t, "labels::route::max", settingOf(attrRoute))
	assert.Equal(t, "100, fixed", settingOf(attrGuardrail))
}

// TestLabelValues: what labels of pages may hold.
func TestLabelValues(t *testing.T) {
	got := readPage(t, `# TYPE litellm_proxy_total_requests_metric_total counter
litellm_proxy_total_requests_metric_total{requested_model="None",status_code="None",api_provider="None"} 1
litellm_proxy_total_requests_metric_total{requested_model="",status_code="abc",api_provider=""} 2
litellm_proxy_total_requests_metric_total{requested_model="a\"b\\c",status_code="200",api_provider="hosted_vllm"} 4
# TYPE litellm_proxy_failed_requests_metric_total counter
litellm_proxy_failed_requests_metric_total{requested_model="a",exception_status="None",exception_class="Openai.APIConnectionError"} 1
litellm_proxy_failed_requests_metric_total{requested_model="a",exception_status="429",exception_class="Openai.RateLimitError"} 2
litellm_proxy_failed_requests_metric_total{requested_model="a",exception_status="429",exception_class="RateLimitError",api_provider="openai"} 4
litellm_proxy_failed_requests_metric_total{requested_model="a",exception_status="",exception_class=""} 8
`)
	assert.InDelta(t, 3, got.value(t, "litellm.requests.finished"), 0)
	assert.InDelta(t, 4, got.value(t, `litellm.requests.finished{gen_ai.provider.name=vllm,gen_ai.request.model=a"b\c,http.response.status_code=200,litellm.provider=hosted_vllm}`), 0)
	r := got.of("litellm.requests.finished")[1]
	assert.Equal(t, int64(200), r.attributes["http.response.status_code"])
	assert.InDelta(t, 1, got.value(t, "litellm.requests.failed{error.type=APIConnectionError,gen_ai.provider.name=openai,gen_ai.request.model=a,litellm.exception.class=APIConnectionError}"), 0)
	assert.InDelta(t, 6, got.value(t, "litellm.requests.failed{error.type=429,gen_ai.provider.name=openai,gen_ai.request.model=a,litellm.exception.class=RateLimitError}"), 0)
	assert.InDelta(t, 8, got.value(t, "litellm.requests.failed{gen_ai.request.model=a}"), 0)
}

func TestProviders(t *testing.T) {
	for raw, want := range map[string][2]string{
		"azure": {"azure.ai.openai", "azure"}, "bedrock": {"aws.bedrock", "bedrock"}, "vertex_ai": {"gcp.vertex_ai", "vertex_ai"}, "gemini": {"gcp.gemini", "gemini"},
		"mistral": {"mistral_ai", "mistral"}, "xai": {"x_ai", "xai"}, "moonshot": {"moonshot_ai", "moonshot"}, "watsonx": {"ibm.watsonx.ai", "watsonx"},
		"hosted_vllm": {"vllm", "hosted_vllm"}, "openai": {"openai", ""}, "anthropic": {"anthropic", ""}, "brand_new": {"brand_new", ""}, "": {"", ""},
	} {
		name, other := providerName(raw)
		assert.Equal(t, want, [2]string{name, other}, raw)
	}
	for _, tt := range []struct{ model, provider, name, of string }{
		{"openai/gpt-4o", "", "gpt-4o", "openai"},
		{"openai/gpt-4o", "openai", "gpt-4o", "openai"},
		{"openai/gpt-4o", "openrouter", "openai/gpt-4o", "openrouter"},
		{"gpt-4o", "", "gpt-4o", ""},
		{"openai/", "", "openai/", ""},
		{"mistralai/devstral", "", "mistralai/devstral", ""},
		{"", "azure", "", "azure"},
	} {
		name, of := splitModel(tt.model, tt.provider)
		assert.Equal(t, [2]string{tt.name, tt.of}, [2]string{name, of}, "%+v", tt)
	}
}

// TestAttributesAreDeclared: the points have no attribute that metadata.yaml does not
// give the metric.
func TestAttributesAreDeclared(t *testing.T) {
	metrics := declared(t)
	for _, version := range simulator.LiteLLMVersions() {
		c := newClock()
		_, url := newSimulated(t, c, simulator.LiteLLMConfig{Version: version, PrometheusSystem: true, Redis: true})
		for _, r := range newProbe(t, c, url, withKey, everything, allLabels, func(cfg *Config) { cfg.Labels.Tags.Names = []string{"a"} }).read(t) {
			if r.isHistogram() {
				continue
			}
			require.Contains(t, metrics, r.metric)
			for attribute := range r.attributes {
				assert.Contains(t, metrics[r.metric].Attributes, attribute, "%s in %s", r.metric, version)
			}
		}
	}
}
