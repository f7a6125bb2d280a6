package litellmreceiver

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

// journal writes a line when something about the proxy changes, and none while it
// stays the same.
type journal struct {
	logger *zap.Logger

	down bool
	// reasons are those that are written down; all that is about the key is one.
	reasons map[string]bool
	unknown string
	// full are the settings whose limit was reached.
	full    map[string]bool
	lacking string
}

func newJournal(logger *zap.Logger) *journal {
	return &journal{logger: logger, reasons: make(map[string]bool), full: make(map[string]bool)}
}

// aboutKey is the reason for all that is wrong with the key.
const aboutKey = "key"

func journalReason(tr *trouble) string {
	if refusal(tr.err) {
		return aboutKey
	}
	return tr.reason
}

// status notes how the scrape went.
func (j *journal) status(st *status, t *tally) {
	switch {
	case !st.up && !j.down:
		tr := &st.troubles[0]
		j.logger.Warn("The LiteLLM proxy cannot be read.", fieldsOf(tr, nil)...)
	case st.up && j.down:
		j.logger.Info("The LiteLLM proxy answers again.")
	}
	j.down = !st.up
	if j.down {
		return // of what was wrong before nothing is known
	}
	now := make(map[string]bool)
	for i := range st.troubles {
		tr := &st.troubles[i]
		reason := journalReason(tr)
		if now[reason] {
			continue
		}
		now[reason] = true
		if j.reasons[reason] {
			continue
		}
		var endpoints []string
		for k := range st.troubles {
			if journalReason(&st.troubles[k]) == reason {
				endpoints = append(endpoints, st.troubles[k].endpoint)
			}
		}
		message := "The LiteLLM proxy can be read only in part."
		if reason == aboutKey {
			message = "The LiteLLM proxy refuses the key; what needs none is read on."
		}
		fields := fieldsOf(tr, endpoints)
		if tr.reason == reasonInvalidValue {
			fields = append(fields, zap.String("metric", t.firstInvalid), zap.Int("series", t.invalid))
		}
		j.logger.Warn(message, fields...)
	}
	switch {
	case j.reasons[aboutKey] && !now[aboutKey]:
		j.logger.Info("The LiteLLM proxy takes the key again.")
	case len(j.reasons) > 0 && len(now) == 0:
		j.logger.Info("The LiteLLM proxy is read in full again.")
	}
	j.reasons = now
}

func fieldsOf(tr *trouble, endpoints []string) []zap.Field {
	if endpoints == nil {
		endpoints = []string{tr.endpoint}
	}
	fields := []zap.Field{zap.String("reason", tr.reason), zap.Strings("endpoints", endpoints)}
	var status *apiclient.StatusError
	// No text of an answer or a page: both may hold keys and addresses of persons.
	if tr.err != nil && !errors.As(tr.err, &status) && !errors.Is(tr.err, promtext.ErrSyntax) {
		fields = append(fields, zap.Error(tr.err))
	}
	return append(fields, zap.String("hint", hintFor(tr.reason)))
}

// page notes what a page had that was not recorded as it is.
func (j *journal) page(t *tally) {
	if t.firstUnknown != j.unknown {
		if j.unknown = t.firstUnknown; t.unknown > 0 {
			j.logger.Info("The LiteLLM proxy has metrics that this receiver does not know; they are counted in litellm.scrape.unknown_series.",
				zap.String("metric", t.firstUnknown), zap.Int("series", t.unknown))
		}
	}
	for a := range attributeCount {
		if t.refused[a] > 0 {
			j.limit(settingOf(a), t)
		}
	}
}

// limit notes that a limit was reached, with all attributes that have it.
func (j *journal) limit(setting string, t *tally) {
	if j.full[setting] {
		return
	}
	j.full[setting] = true
	series := 0
	var names []string
	for a := range attributeCount {
		if t.refused[a] > 0 && settingOf(a) == setting {
			series += t.refused[a]
			names = append(names, writers[a].name)
		}
	}
	j.logger.Warn(`The LiteLLM proxy has more than a limit allows. What is beyond counts as "other" in the metrics of its page, whose sums stay right, and is left out of lists.`,
		zap.String("setting", setting), zap.Strings("attributes", names), zap.Int("series", series))
}

// settingOf says which setting the limit of an attribute is.
func settingOf(a attribute) string {
	switch a {
	case attrRequestModel, attrResponseModel, attrDeploymentID, attrFallbackModel:
		return "max_models"
	case attrTags:
		return "labels::tags"
	}
	for _, o := range optional {
		if o.as == a {
			return "labels::" + o.setting + "::max"
		}
	}
	return fmt.Sprintf("%d, fixed", maxOthers)
}

// told notes what the API did not give.
func (j *journal) told(t *told) {
	if t.deployments != nil && t.deployments.refused > 0 || t.models != nil && t.models.refused > 0 {
		j.limit("max_models", &tally{})
	}
	slices.Sort(t.lacking)
	if lacking := strings.Join(t.lacking, ", "); lacking != j.lacking && t.alive {
		if j.lacking = lacking; lacking != "" {
			j.logger.Info("The key may not read all of the proxy's API; the metrics made of the rest are absent.", zap.Strings("endpoints", t.lacking))
		}
	}
}
