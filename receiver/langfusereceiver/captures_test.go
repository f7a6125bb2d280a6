package langfusereceiver

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// description is the API description of a version: OTELCOL_LLM_FIXTURES is a folder
// with langfuse/langfuse-*-openapi.yml.
type description map[string]any

func describe(t *testing.T, version string) description {
	t.Helper()
	dir := os.Getenv("OTELCOL_LLM_FIXTURES")
	if dir == "" {
		t.Skip("OTELCOL_LLM_FIXTURES is not set: no API descriptions to test with")
	}
	text, err := os.ReadFile(filepath.Join(dir, "langfuse", "langfuse-"+version+"-openapi.yml"))
	require.NoError(t, err)
	retrieved, err := confmap.NewRetrievedFromYAML(text)
	require.NoError(t, err)
	raw, err := retrieved.AsRaw()
	require.NoError(t, err)
	return raw.(map[string]any)
}

// at follows keys into the description; nil if there is none.
func (d description) at(keys ...string) any {
	var here any = map[string]any(d)
	for _, key := range keys {
		inside, _ := here.(map[string]any)
		here = inside[key]
	}
	return here
}

// answer is what the server answers to a GET, made of its schema: all fields, with a
// value of their type.
func (d description) answer(t *testing.T, path string) string {
	t.Helper()
	schema := d.at("paths", root+path, "get", "responses", "200", "content", "application/json", "schema")
	require.NotNil(t, schema, path)
	text, err := json.Marshal(d.sample(schema, 0))
	require.NoError(t, err)
	return string(text)
}

func (d description) sample(schema any, depth int) any {
	s, _ := schema.(map[string]any)
	if ref, ok := s["$ref"].(string); ok {
		return d.sample(d.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...), depth)
	}
	switch s["type"] {
	case "object":
		object := map[string]any{}
		if depth < 6 {
			properties, _ := s["properties"].(map[string]any)
			for name, of := range properties {
				object[name] = d.sample(of, depth+1)
			}
			if more, ok := s["additionalProperties"]; ok {
				object["x"] = d.sample(more, depth+1)
			}
		}
		return object
	case "array":
		return []any{d.sample(s["items"], depth+1)}
	case "integer", "number":
		return 12
	case "boolean":
		return true
	}
	return "text"
}

// TestDescribed: the answers of every described version are understood, and the paths
// are there or not as the simulator plays them.
func TestDescribed(t *testing.T) {
	for version, offers := range map[string]map[string]bool{
		"3.100.0": {"/health": true, "/projects": true, "/metrics": true, "/v2/metrics": false},
		"4.16.0":  {"/health": true, "/projects": true, "/metrics": true, "/v2/metrics": true},
	} {
		t.Run(version, func(t *testing.T) {
			d := describe(t, version)
			for path, offered := range offers {
				assert.Equal(t, offered, d.at("paths", root+path, "get") != nil, path)
			}
			s := newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = w.Write([]byte(d.answer(t, strings.TrimPrefix(r.URL.Path, root))))
			}))
			told, _, err := s.health(t.Context())
			require.NoError(t, err)
			assert.Equal(t, "text", told)
			p, err := s.project(t.Context())
			require.NoError(t, err)
			assert.Equal(t, project{ID: "text", Name: "text"}, p)
			for _, api := range []apiName{apiV2, apiV1} {
				if offers[metricsPaths[api]] {
					rows, _, err := s.metrics(t.Context(), api, query{})
					require.NoError(t, err)
					assert.Len(t, rows, 1)
				}
			}
		})
	}
}

// undescribed are used though the description does not have them; the source of
// Langfuse has (packages/shared/src/features/query, 4.16).
var undescribed = []string{"uniq", "uniqueUserIds", "uniqueSessionIds", columnStart, columnTimestamp, "datetime", "traces"}

// TestQueriesDescribed: all that is asked of v2 is described.
func TestQueriesDescribed(t *testing.T) {
	d := describe(t, "4.16.0")
	prose, _ := d.at("paths", root+"/v2/metrics", "get", "description").(string)
	require.Contains(t, prose, "isRootObservation")
	has := func(name string) bool {
		return regexp.MustCompile("[`#] ?" + regexp.QuoteMeta(name) + "\\b").MatchString(prose)
	}
	cfg := createDefaultConfig().(*Config)
	everything(cfg)
	cfg.SplitByEnvironment = true
	asked := 0
	check := func(name string) {
		if !slices.Contains(undescribed, name) {
			asked++
			assert.True(t, has(name), name)
		}
	}
	for _, v := range viewsOf(apiV2, cfg) {
		check(v.source)
		for _, name := range append(v.required, v.optional...) {
			if v.name != viewCategories || name != "stringValue" {
				check(name)
			}
		}
		for _, m := range v.metrics {
			check(m.Measure)
			check(m.Aggregation)
		}
		for _, f := range v.filters {
			check(f.Column)
		}
	}
	assert.Greater(t, asked, 40)
}

// TestExportedModels: the names of models in traces that real frameworks sent stay
// what they are.
func TestExportedModels(t *testing.T) {
	dir := os.Getenv("OTELCOL_LLM_FIXTURES")
	if dir == "" {
		t.Skip("OTELCOL_LLM_FIXTURES is not set: no traces to test with")
	}
	files, err := filepath.Glob(filepath.Join(dir, "langfuse", "traces", "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	synctest.Test(t, func(t *testing.T) {
		begin()
		b := newBench(t, simulator.LangfuseConfig{})
		want := map[string]float64{}
		for _, file := range files {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			var export struct {
				Observations []struct {
					ID, Type, Level string
					Model           string `json:"model"`
				} `json:"observations"`
			}
			require.NoError(t, json.Unmarshal(text, &export))
			require.NotEmpty(t, export.Observations)
			for _, o := range export.Observations {
				b.sim.Add(simulator.LangfuseObservation{ID: o.ID, Type: o.Type, Level: o.Level, Model: o.Model, Start: noon.Add(-1e9), End: noon})
				want[o.Type+" "+o.Model]++
			}
		}
		b.up(t)
		pass(13 * 60e9)
		got := map[string]float64{}
		for _, p := range b.read(t).of("langfuse.observations") {
			model := ""
			if name, ok := p.attributes["gen_ai.request.model"]; ok {
				model = asText(name)
			}
			got[asText(p.attributes["langfuse.observation.type"])+" "+model] += p.value
		}
		assert.Equal(t, want, got)
	})
}
