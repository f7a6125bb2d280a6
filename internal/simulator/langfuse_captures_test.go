package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

// schema is the part of an OpenAPI schema that the descriptions of Langfuse use.
type schema struct {
	Ref        string            `yaml:"$ref"`
	Type       string            `yaml:"type"`
	Format     string            `yaml:"format"`
	Nullable   bool              `yaml:"nullable"`
	Enum       []string          `yaml:"enum"`
	Required   []string          `yaml:"required"`
	Properties map[string]schema `yaml:"properties"`
	Items      *schema           `yaml:"items"`
	Additional any               `yaml:"additionalProperties"`
	OneOf      []schema          `yaml:"oneOf"`
	AllOf      []schema          `yaml:"allOf"`
}

type description struct {
	Paths map[string]map[string]struct {
		Responses map[string]struct {
			Content map[string]struct {
				Schema schema `yaml:"schema"`
			} `yaml:"content"`
		} `yaml:"responses"`
	} `yaml:"paths"`
	Components struct {
		Schemas map[string]schema `yaml:"schemas"`
	} `yaml:"components"`
}

// check returns what a value has against a schema, "" for nothing.
func (d *description) check(s schema, value any, at string) string {
	if s.Ref != "" {
		nullable := s.Nullable
		s = d.Components.Schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
		s.Nullable = s.Nullable || nullable
	}
	if value == nil {
		if s.Nullable || s.Type == "" && len(s.OneOf)+len(s.AllOf) == 0 {
			return ""
		}
		return at + " is null"
	}
	for _, part := range s.AllOf {
		if problem := d.check(part, value, at); problem != "" {
			return problem
		}
	}
	if len(s.OneOf) > 0 {
		problems := make([]string, 0, len(s.OneOf))
		for _, choice := range s.OneOf {
			problem := d.check(choice, value, at)
			if problem == "" {
				return ""
			}
			problems = append(problems, problem)
		}
		return strings.Join(problems, " and ")
	}
	switch s.Type {
	case "object":
		object, ok := value.(map[string]any)
		if !ok {
			return at + " is no object"
		}
		for _, name := range s.Required {
			if _, found := object[name]; !found {
				return at + "." + name + " is missing"
			}
		}
		for name, property := range s.Properties {
			if member, found := object[name]; found {
				if problem := d.check(property, member, at+"."+name); problem != "" {
					return problem
				}
			}
		}
	case "array":
		list, ok := value.([]any)
		if !ok {
			return at + " is no list"
		}
		for i, item := range list {
			if problem := d.check(*s.Items, item, fmt.Sprintf("%s[%d]", at, i)); problem != "" {
				return problem
			}
		}
	case "string":
		text, ok := value.(string)
		_, badTime := time.Parse(time.RFC3339, text)
		if !ok || s.Format == "date-time" && badTime != nil || len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
			return fmt.Sprintf("%s is %v", at, value)
		}
	case "integer", "number":
		x, ok := value.(float64)
		if !ok || s.Type == "integer" && x != float64(int64(x)) {
			return fmt.Sprintf("%s is %v", at, value)
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			return fmt.Sprintf("%s is %v", at, value)
		}
	}
	return ""
}

// TestLangfuseFollowsItsDescription asks everything that the API descriptions of two versions list for reading and that
// monitoring needs, and holds the answers against the schemas.
func TestLangfuseFollowsItsDescription(t *testing.T) {
	dir := os.Getenv("OTELCOL_LLM_FIXTURES")
	if dir == "" {
		t.Skip("OTELCOL_LLM_FIXTURES is not set")
	}
	const prefix = "/api/public"
	for version, want := range map[string][]string{
		"3.100.0": {"/health", "/metrics", "/models", "/observations", "/projects", "/sessions", "/traces", "/v2/scores"},
		"4.16.0": {
			"/health", "/metrics", "/models", "/observations", "/projects", "/sessions", "/traces",
			"/v2/metrics", "/v2/observations", "/v2/scores", "/v3/scores",
		},
	} {
		t.Run(version, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(dir, "langfuse", "langfuse-"+version+"-openapi.yml"))
			require.NoError(t, err)
			var d description
			require.NoError(t, yaml.Unmarshal(text, &d))
			l, _ := newTestLangfuse(LangfuseConfig{
				Version: version, Mode: LangfuseDual, RetentionDays: 30,
				Models: []LangfuseModel{{ID: "m", Name: "m-a", InputPrice: lfUSD(1e-6)}},
			})
			fillLangfuse(l)
			if version != "3.100.0" { // it does not have these types yet
				l.AddScore(LangfuseScore{TraceID: "t1", DataType: "TEXT", StringValue: "x", Time: lfAt(11, 0, 0)})
				l.AddScore(LangfuseScore{TraceID: "t1", DataType: "CORRECTION", StringValue: "x", Time: lfAt(11, 0, 0)})
			}
			var found []string
			for path, methods := range d.Paths {
				path = strings.TrimPrefix(path, prefix)
				route, known := langfuseRoutes[path]
				operation, reads := methods["get"]
				if !known || !reads {
					continue
				}
				assert.True(t, l.release.from(route.since), "%s is there later only", path)
				found = append(found, path)
				for _, fields := range []string{"", "core,basic,time,io,metadata,model,usage,prompt,metrics,trace_context", "details,subject,annotation"} {
					if path == "/v3/scores" && strings.HasPrefix(fields, "core") {
						continue
					}
					query := url.Values{"query": {lfTimes(t, `{"view":"observations","dimensions":[{"field":"providedModelName"}],"metrics":[{"measure":"latency","aggregation":"histogram"}]}`)}}
					if fields != "" {
						query.Set("fields", fields)
					}
					w := lfGet(l, path, query)
					require.Equal(t, http.StatusOK, w.Code, "%s: %s", path, w.Body)
					var body any
					require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body))
					assert.Empty(t, d.check(operation.Responses["200"].Content["application/json"].Schema, body, path))
					if list, ok := body.(map[string]any)["data"]; ok {
						assert.NotEmpty(t, list, path)
					}
				}
			}
			slices.Sort(found)
			assert.Equal(t, want, found)
		})
	}
}

// TestLangfuseHasWhatTheSourceDescribes reads the dimensions and measures that the prose of the metrics API lists.
func TestLangfuseHasWhatTheSourceDescribes(t *testing.T) {
	dir := os.Getenv("OTELCOL_LLM_FIXTURES")
	if dir == "" {
		t.Skip("OTELCOL_LLM_FIXTURES is not set")
	}
	text, err := os.ReadFile(filepath.Join(dir, "langfuse", "fern-4.16", "metrics.yml"))
	require.NoError(t, err)
	release := mustLangfuseRelease("4.16.0")
	views := langfuseViews(true)
	var current []string
	kind, seen := "", 0
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch name, listed := strings.CutPrefix(line, "- `"); {
		case strings.HasPrefix(line, "### "):
			current, kind = []string{strings.TrimPrefix(line, "### ")}, ""
		case line == "**observations view:**":
			current, kind = []string{"observations"}, "wide"
		case line == "**scores-numeric / scores-boolean / scores-categorical views:**":
			current, kind = []string{"scores-numeric", "scores-boolean", "scores-categorical"}, "wide"
		case line == "**Dimensions:**":
			kind = "dimension"
		case line == "**Measures:**":
			kind = "measure"
		case strings.HasPrefix(line, "## "):
			kind = ""
		case listed && kind != "":
			name, _, _ = strings.Cut(name, "`")
			for _, v := range current {
				view, known := views[v]
				require.True(t, known, v)
				seen++
				if kind == "measure" {
					assert.NotNil(t, view.measure(name, release), "%s: measure %s", v, name)
					continue
				}
				d := view.dimension(name, release)
				if assert.NotNil(t, d, "%s: dimension %s", v, name) {
					assert.Equal(t, kind == "wide", d.wide, "%s: dimension %s", v, name)
				}
			}
		}
	}
	assert.Greater(t, seen, 60, "the file has another form")
}

// TestLangfuseReplaysTraces adds exported traces and asks for the sums over them. Exports have latencies in milliseconds.
func TestLangfuseReplaysTraces(t *testing.T) {
	dir := os.Getenv("OTELCOL_LLM_FIXTURES")
	if dir == "" {
		t.Skip("OTELCOL_LLM_FIXTURES is not set")
	}
	files, err := filepath.Glob(filepath.Join(dir, "langfuse", "traces", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var export struct {
				Observations []struct {
					ID      string             `json:"id"`
					TraceID string             `json:"traceId"`
					Parent  string             `json:"parentObservationId"`
					Type    string             `json:"type"`
					Name    string             `json:"name"`
					Model   string             `json:"model"`
					Start   time.Time          `json:"startTime"`
					End     time.Time          `json:"endTime"`
					Usage   map[string]int     `json:"usageDetails"`
					Cost    map[string]float64 `json:"costDetails"`
					Latency int                `json:"latency"`
				} `json:"observations"`
			}
			require.NoError(t, json.Unmarshal(text, &export))
			require.NotEmpty(t, export.Observations)
			l, _ := newTestLangfuse(LangfuseConfig{Mode: LangfuseDual})
			var tokens, latency, costs int64
			for _, o := range export.Observations {
				stored := LangfuseObservation{
					ID: o.ID, TraceID: o.TraceID, ParentID: o.Parent, Type: o.Type, Name: o.Name, Model: o.Model, Start: o.Start, End: o.End,
					InputTokens: o.Usage["input"], OutputTokens: o.Usage["output"], TotalTokens: o.Usage["total"],
				}
				if total, priced := o.Cost["total"]; priced {
					stored.TotalCost = &total
					costs += costUnits(total)
				}
				l.Add(stored)
				tokens += int64(o.Usage["total"])
				latency += int64(o.Latency)
			}
			var cost any
			if costs > 0 {
				cost = costValue(costs)
			}
			for _, path := range []string{"/metrics", "/v2/metrics"} {
				var lines []map[string]any
				require.NoError(t, json.Unmarshal([]byte(lfQuery(t, l, path, `{"view":"observations","fromTimestamp":"2025-01-01T00:00:00Z","metrics":[
					{"measure":"count","aggregation":"count"},{"measure":"totalTokens","aggregation":"sum"},{"measure":"latency","aggregation":"sum"},{"measure":"totalCost","aggregation":"sum"}]}`)), &lines))
				assert.Equal(t, []map[string]any{{
					"count_count": float64(len(export.Observations)), "sum_totalTokens": float64(tokens), "sum_latency": float64(latency), "sum_totalCost": cost,
				}}, lines, path)
			}
		})
	}
}
