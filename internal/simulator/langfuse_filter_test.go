package simulator

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// matching asks which observations of fillLangfuse a filter keeps.
func matching(t *testing.T, l *Langfuse, path, view, filter string) string {
	t.Helper()
	dimension, order := "name", `"orderBy":[{"field":"name","direction":"asc"}],`
	if strings.HasPrefix(view, "scores") {
		dimension, order = "source", ""
	}
	return lfQuery(t, l, path, `{"view":"`+view+`","dimensions":[{"field":"`+dimension+`"}],`+order+`"filters":[`+filter+`],"metrics":[{"measure":"count","aggregation":"count"}]}`)
}

func names(list string) string {
	lines := []string{}
	for name := range strings.FieldsSeq(list) {
		lines = append(lines, `{"name":"`+name+`","count_count":1}`)
	}
	return "[" + strings.Join(lines, ",") + "]"
}

func TestLangfuseFilters(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	fillLangfuse(l)
	for filter, want := range map[string]string{
		`{"column":"name","operator":"=","value":"chat","type":"string"}`:                                                                         "chat",
		`{"column":"name","operator":"contains","value":"t","type":"string"}`:                                                                     "chat complete title",
		`{"column":"name","operator":"does not contain","value":"t","type":"string"}`:                                                             "answer",
		`{"column":"name","operator":"starts with","value":"c","type":"string"}`:                                                                  "chat complete",
		`{"column":"name","operator":"ends with","value":"e","type":"string"}`:                                                                    "complete title",
		`{"column":"scoreName","operator":"=","value":"chat","type":"string"}`:                                                                    "chat",
		`{"column":"providedModelName","operator":"contains","value":"m","type":"string"}`:                                                        "answer complete title",
		`{"column":"providedModelName","operator":"does not contain","value":"b","type":"string"}`:                                                "answer title",
		`{"column":"providedModelName","operator":"is null","value":"","type":"null"}`:                                                            "chat",
		`{"column":"providedModelName","operator":"is not null","type":"null"}`:                                                                   "answer complete title",
		`{"column":"providedModelName","operator":"any of","value":["m-a","m-b"],"type":"stringOptions"}`:                                         "answer complete title",
		`{"column":"providedModelName","operator":"none of","value":["m-a"],"type":"stringOptions"}`:                                              "complete",
		`{"column":"level","operator":"none of","value":["ERROR","WARNING"],"type":"stringOptions"}`:                                              "answer chat complete",
		`{"column":"tags","operator":"any of","value":["b","c"],"type":"arrayOptions"}`:                                                           "answer chat title",
		`{"column":"tags","operator":"none of","value":["b"],"type":"arrayOptions"}`:                                                              "complete",
		`{"column":"tags","operator":"all of","value":["a","b"],"type":"arrayOptions"}`:                                                           "answer chat title",
		`{"column":"tags","operator":"all of","value":["a","c"],"type":"arrayOptions"}`:                                                           "",
		`{"column":"promptVersion","operator":"=","value":3,"type":"number"}`:                                                                     "answer",
		`{"column":"promptVersion","operator":">=","value":4,"type":"number"}`:                                                                    "",
		`{"column":"name","operator":">","value":0,"type":"number"}`:                                                                              "",
		`{"column":"name","operator":"=","value":true,"type":"boolean"}`:                                                                          "",
		`{"column":"traceId","operator":"=","value":"t2","type":"string"}`:                                                                        "complete",
		`{"column":"userId","operator":"any of","value":["u1"],"type":"stringOptions"}`:                                                           "answer chat title",
		`{"column":"parentObservationId","operator":"is null","type":"null"}`:                                                                     "chat complete",
		`{"column":"traceName","operator":"=","value":"chat","type":"string"}`:                                                                    "answer chat title",
		`{"column":"start_time","operator":">=","value":"2026-03-10T10:00:05Z","type":"datetime"}`:                                                "complete title",
		`{"column":"start_time","operator":">","value":"2026-03-10T12:00:05+02:00","type":"datetime"}`:                                            "complete",
		`{"column":"start_time","operator":"<","value":"2026-03-10T10:00:01.000Z","type":"datetime"}`:                                             "chat",
		`{"column":"start_time","operator":"<=","value":"2026-03-10T10:00:01Z","type":"datetime"}`:                                                "answer chat",
		`{"column":"type","operator":"=","value":"GENERATION","type":"string"},{"column":"level","operator":"=","value":"ERROR","type":"string"}`: "title",
	} {
		for _, path := range []string{"/metrics", "/v2/metrics"} {
			assert.JSONEq(t, names(want), matching(t, l, path, "observations", filter), path+filter)
		}
	}
}

// TestLangfuseFiltersOfV2 has what only the events know, or what they see in another way: there "" and null are the same.
func TestLangfuseFiltersOfV2(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	fillLangfuse(l)
	for filter, want := range map[string][2]string{
		`{"column":"providedModelName","operator":"=","value":"","type":"string"}`:                        {"", "chat"},
		`{"column":"providedModelName","operator":"any of","value":["","m-b"],"type":"stringOptions"}`:    {"complete", "chat complete"},
		`{"column":"providedModelName","operator":"none of","value":[""],"type":"stringOptions"}`:         {"answer complete title", "answer complete title"},
		`{"column":"metadata","key":"k","operator":"does not contain","value":"x","type":"stringObject"}`: {"answer chat complete title", ""},
		`{"column":"isRootObservation","operator":"=","value":true,"type":"boolean"}`:                     {"400", "chat complete"},
		`{"column":"isRootObservation","operator":"<>","value":true,"type":"boolean"}`:                    {"400", "answer title"},
		`{"column":"release","operator":"=","value":"r1","type":"string"}`:                                {"400", "answer chat title"},
	} {
		for i, path := range []string{"/metrics", "/v2/metrics"} {
			if want[i] == "400" {
				assert.Equal(t, 400, lfGet(l, path, url.Values{"query": {lfTimes(t, lfCount[:len(lfCount)-1]+`,"filters":[`+filter+`]}`)}}).Code, path+filter)
				continue
			}
			assert.JSONEq(t, names(want[i]), matching(t, l, path, "observations", filter), path+filter)
		}
	}
}

func TestLangfuseFiltersOfScores(t *testing.T) {
	l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
	fillLangfuse(l)
	for filter, want := range map[string]string{
		`{"column":"value","operator":"=","value":0.8,"type":"number"}`:                          `[{"source":"EVAL","count_count":1}]`,
		`{"column":"value","operator":"<=","value":0.8,"type":"number"}`:                         `[{"source":"EVAL","count_count":2}]`,
		`{"column":"value","operator":"<","value":0.8,"type":"number"}`:                          `[{"source":"EVAL","count_count":1}]`,
		`{"column":"value","operator":">","value":0.4,"type":"number"}`:                          `[{"source":"API","count_count":1},{"source":"EVAL","count_count":1}]`,
		`{"column":"observationModelName","operator":"=","value":"m-a","type":"string"}`:         `[{"source":"API","count_count":1}]`,
		`{"column":"timestamp","operator":"<","value":"2026-03-10T10:06:00Z","type":"datetime"}`: `[{"source":"EVAL","count_count":1}]`,
	} {
		for _, path := range []string{"/metrics", "/v2/metrics"} {
			assert.JSONEq(t, want, matching(t, l, path, "scores-numeric", filter), path+filter)
		}
	}
}
