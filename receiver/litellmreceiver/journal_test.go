package litellmreceiver

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

func TestJournal(t *testing.T) {
	const (
		down    = "warn The LiteLLM proxy cannot be read."
		back    = "info The LiteLLM proxy answers again."
		partly  = "warn The LiteLLM proxy can be read only in part."
		whole   = "info The LiteLLM proxy is read in full again."
		refuses = "warn The LiteLLM proxy refuses the key; what needs none is read on."
		takes   = "info The LiteLLM proxy takes the key again."
	)
	tr := func(endpoint string, err error) trouble {
		return trouble{problem{endpoint, reasonOf(err)}, err}
	}
	var (
		good     = &status{up: true}
		dead     = &status{troubles: []trouble{tr(endpointLiveliness, errors.New("x"))}}
		timeout  = &status{up: true, troubles: []trouble{tr(endpointMetrics, apiclient.ErrHTML)}}
		other    = &status{up: true, troubles: []trouble{tr(endpointMetrics, apiclient.ErrNotJSON)}}
		both     = &status{up: true, troubles: []trouble{tr(endpointModels, apiclient.ErrHTML), tr(endpointMetrics, apiclient.ErrNotJSON)}}
		refused  = &status{up: true, troubles: []trouble{tr(endpointModels, &apiclient.StatusError{Code: 401}), tr(endpointDeployment, &apiclient.StatusError{Code: 403})}}
		everyone = &status{up: true, troubles: []trouble{tr(endpointModels, &apiclient.StatusError{Code: 401}), tr(endpointMetrics, &apiclient.StatusError{Code: 401}), tr(endpointLatest, apiclient.ErrHTML)}}
	)
	for _, tt := range []struct {
		name  string
		steps []*status
		want  [][]string
	}{
		{"well", []*status{good, good}, [][]string{{}, {}}},
		{"dead and back", []*status{dead, dead, good, good}, [][]string{{down}, {}, {back}, {}}},
		{"in part", []*status{timeout, timeout, good}, [][]string{{partly}, {}, {whole}}},
		{"another reason", []*status{timeout, other, both, good}, [][]string{{partly}, {partly}, {partly}, {whole}}},
		{"dead in between", []*status{timeout, dead, timeout, good}, [][]string{{partly}, {down}, {back}, {whole}}},
		{"the key", []*status{refused, refused, good}, [][]string{{refuses}, {}, {takes}}},
		{"the key and more", []*status{refused, everyone, refused, good}, [][]string{{refuses}, {partly}, {}, {takes}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			core, logs := observer.New(zapcore.DebugLevel)
			j := newJournal(zap.New(core))
			for i, st := range tt.steps {
				j.status(st, &tally{})
				lines := []string{}
				for _, entry := range logs.TakeAll() {
					lines = append(lines, entry.Level.String()+" "+entry.Message)
				}
				assert.Equal(t, tt.want[i], lines, "step %d", i)
			}
		})
	}
}

func TestJournalFields(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	j := newJournal(zap.New(core))
	j.status(&status{up: true, troubles: []trouble{
		{problem{endpointMetrics, reasonInvalidValue}, nil},
		{problem{endpointModels, apiclient.ReasonHTML}, apiclient.ErrHTML},
		{problem{endpointLatest, apiclient.ReasonHTML}, apiclient.ErrHTML},
		{problem{endpointDeployment, "418"}, &apiclient.StatusError{Code: 418, Detail: "secret"}},
	}}, &tally{invalid: 2, firstInvalid: "litellm_x"})
	entries := logs.TakeAll()
	if assert.Len(t, entries, 3) {
		assert.Equal(t, map[string]any{"reason": "invalid_value", "endpoints": []any{"/metrics"}, "hint": hints[reasonInvalidValue], "metric": "litellm_x", "series": int64(2)}, entries[0].ContextMap())
		assert.Equal(t, map[string]any{"reason": "html", "endpoints": []any{"/v1/models", "/health/latest"}, "hint": hints[apiclient.ReasonHTML], "error": apiclient.ErrHTML.Error()}, entries[1].ContextMap())
		assert.Equal(t, map[string]any{"reason": "418", "endpoints": []any{"/model/info"}, "hint": "See the log of the proxy."}, entries[2].ContextMap(), "no text of an answer")
	}
	syntax := trouble{problem{endpointMetrics, apiclient.ReasonMalformed}, promtext.ErrSyntax}
	for _, f := range fieldsOf(&syntax, nil) {
		assert.NotEqual(t, "error", f.Key, "no text of a page")
	}
}

func TestJournalPage(t *testing.T) {
	core, logs := observer.New(zapcore.DebugLevel)
	j := newJournal(zap.New(core))
	for _, step := range []struct {
		tally tally
		want  int
	}{
		{tally{}, 0},
		{tally{unknown: 2, firstUnknown: "litellm_new"}, 1},
		{tally{unknown: 3, firstUnknown: "litellm_new"}, 0},
		{tally{}, 0},
		{tally{unknown: 1, firstUnknown: "litellm_newer"}, 1},
		{tally{refused: map[attribute]int{attrRequestModel: 1, attrResponseModel: 2, attrUser: 3, attrCallback: 4}}, 3},
		{tally{refused: map[attribute]int{attrRequestModel: 9, attrDeploymentID: 9}}, 0},
	} {
		j.page(&step.tally)
		assert.Len(t, logs.TakeAll(), step.want)
	}
	j.told(&told{alive: true, models: &modelNames{refused: 3}})
	assert.Empty(t, logs.TakeAll(), "it is known already that max_models was reached")

	j = newJournal(zap.New(core))
	for _, step := range []struct {
		told told
		want int
	}{
		{told{alive: true, models: &modelNames{refused: 3}}, 1},
		{told{alive: true, deployments: &deployments{refused: 3}}, 0},
		{told{alive: true, lacking: []string{"/b", "/a"}}, 1},
		{told{alive: true, lacking: []string{"/a", "/b"}}, 0},
		{told{}, 0},
		{told{alive: true, lacking: []string{"/a", "/b"}}, 0},
		{told{alive: true}, 0},
		{told{alive: true, lacking: []string{"/a"}}, 1},
	} {
		j.told(&step.told)
		assert.Len(t, logs.TakeAll(), step.want)
	}
}
