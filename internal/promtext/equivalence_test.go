package promtext

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// samples writes a page as lines again, sorted: nothing that the page says is
// left out, but for the empty families.
func samples(p *Page) []string {
	var out []string
	add := func(f Family, name string, set labels.Labels, value float64) {
		out = append(out, fmt.Sprint(f.Type, " ", name, set, " ", value))
	}
	for _, f := range p.Families {
		for _, s := range f.Series {
			if s.Created != 0 {
				gauge := Family{Type: model.MetricTypeGauge}
				name := f.Name
				if f.Type == model.MetricTypeCounter {
					name = strings.TrimSuffix(name, "_total")
				}
				add(gauge, name+"_created", s.Labels, s.Created)
			}
			h := s.Histogram
			if h == nil {
				add(f, f.Name, s.Labels, s.Value)
				continue
			}
			add(f, f.Name+"_sum", s.Labels, h.Sum)
			add(f, f.Name+"_count", s.Labels, h.Count)
			for i, bound := range h.Bounds {
				add(f, fmt.Sprint(f.Name, "|", bound), s.Labels, h.Counts[i])
			}
			if !math.IsNaN(h.inf) {
				add(f, f.Name+"|+Inf", s.Labels, h.inf)
			}
		}
	}
	slices.Sort(out)
	return out
}

// expfmtSamples does the same for what expfmt makes of a page.
func expfmtSamples(tb testing.TB, text []byte) []string {
	tb.Helper()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	require.NoError(tb, err)
	var out []string
	for name, mf := range families {
		typ := strings.Replace(strings.ToLower(mf.GetType().String()), "untyped", "unknown", 1)
		for _, m := range mf.GetMetric() {
			var pairs []string
			for _, l := range m.GetLabel() {
				pairs = append(pairs, l.GetName(), l.GetValue())
			}
			set := labels.FromStrings(pairs...)
			add := func(name string, value float64) {
				out = append(out, fmt.Sprint(typ, " ", name, set, " ", value))
			}
			switch mf.GetType() {
			case dto.MetricType_COUNTER:
				add(name, m.GetCounter().GetValue())
			case dto.MetricType_GAUGE:
				add(name, m.GetGauge().GetValue())
			case dto.MetricType_UNTYPED:
				add(name, m.GetUntyped().GetValue())
			case dto.MetricType_SUMMARY:
				add(name+"_sum", m.GetSummary().GetSampleSum())
				add(name+"_count", float64(m.GetSummary().GetSampleCount()))
				for _, q := range m.GetSummary().GetQuantile() {
					add(fmt.Sprint(name, "|", q.GetQuantile()), q.GetValue())
				}
			case dto.MetricType_HISTOGRAM:
				add(name+"_sum", m.GetHistogram().GetSampleSum())
				add(name+"_count", float64(m.GetHistogram().GetSampleCount()))
				for _, b := range m.GetHistogram().GetBucket() {
					add(fmt.Sprint(name, "|", b.GetUpperBound()), float64(b.GetCumulativeCount()))
				}
			}
		}
	}
	slices.Sort(out)
	return out
}

// randomPage writes every type, with labels that look like syntax; half of the
// pages have the lines of each family in any order.
func randomPage(r *rand.Rand) string {
	pick := func(from ...string) string { return from[r.IntN(len(from))] }
	number := func() float64 { return float64(r.IntN(1<<20)) / 1024 } // sums are exact in any order
	shuffled := r.IntN(2) == 0
	var page strings.Builder
	for i := range 1 + r.IntN(8) {
		typ := pick("counter", "gauge", "histogram", "summary", "untyped", "")
		name := fmt.Sprintf("m%d%s", i, pick("", "_total", "_sum", ":x"))
		var sets []string
		seen := map[string]bool{}
		for range r.IntN(7) {
			a, b := pick("x", "", `\"`, `\\`, `\n`, `,le=`, `,le=\"1\",`, "{}", "é", " # "), pick("0", "1")
			if !seen[a+b] {
				seen[a+b] = true
				sets = append(sets, fmt.Sprintf(`a="%s"%s b%s="%s"`, a, pick(",", " , "), pick("", " "), b))
			}
		}
		var lines, created []string
		for _, set := range sets {
			line := func(suffix, extra string, value any) {
				parts := []string{set, extra}
				if r.IntN(2) == 0 {
					slices.Reverse(parts)
				}
				block := strings.Trim(strings.Join(parts, ","), ",") + pick("", ",", " ")
				lines = append(lines, fmt.Sprintf("%s%s%s{%s} %v%s\n", name, suffix, pick("", " "), block, value, pick("", " 123")))
			}
			switch typ {
			case "histogram":
				count := 0
				for _, le := range []string{"0.5", "1", "1e+06", "+Inf"} {
					count += r.IntN(9)
					line("_bucket", `le="`+le+`"`, count)
				}
				line("_count", "", count)
				line("_sum", "", number())
			case "summary":
				line("", `quantile="0.5"`, pick("1", "NaN"))
				line("", `quantile="0.9"`, number())
				line("_count", "", r.IntN(99))
				line("_sum", "", number())
			default:
				line("", "", pick("1", "-2.5", "3.5e+010", "NaN", "+Inf", "-Inf"))
			}
			created = append(created, fmt.Sprintf("_created{%s} %d\n", set, 1+r.IntN(9)))
		}
		if shuffled {
			r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		}
		if typ != "" {
			fmt.Fprintf(&page, "# HELP %s Help \\\\ \\n.\n# TYPE %s %s\n", name, name, typ)
		}
		page.WriteString(strings.Join(lines, ""))
		if (typ == "counter" || typ == "histogram" || typ == "summary") && r.IntN(2) == 0 {
			if typ == "counter" {
				name = strings.TrimSuffix(name, "_total")
			}
			fmt.Fprintf(&page, "# TYPE %s_created gauge\n", name)
			for _, c := range created {
				page.WriteString(name + c)
			}
		}
	}
	return page.String()
}

func TestEqualsExpfmt(t *testing.T) {
	for seed := range uint64(2000) {
		text := randomPage(rand.New(rand.NewPCG(seed, 0)))
		p := parse(t, text)
		require.Equal(t, expfmtSamples(t, []byte(text)), samples(p), "seed %d:\n%s", seed, text)
	}
	for _, page := range benchPages[:2] {
		text := page.page()
		assert.Equal(t, expfmtSamples(t, text), samples(parse(t, string(text))))
	}
}

func TestEqualsExpfmtOnFixtures(t *testing.T) {
	dir := os.Getenv("OTELCOL_LLM_FIXTURES")
	if dir == "" {
		t.Skip("OTELCOL_LLM_FIXTURES is not set")
	}
	for _, source := range []string{"vllm", "litellm"} {
		files, err := filepath.Glob(filepath.Join(dir, source, "*.prom"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			t.Run(filepath.Base(file), func(t *testing.T) {
				text, err := os.ReadFile(file)
				require.NoError(t, err)
				if !bytes.HasSuffix(text, []byte("\n")) {
					text = append(text, '\n') // the fixture was cut by hand
				}
				p := parse(t, string(text))
				assert.Equal(t, expfmtSamples(t, text), samples(p))
				for _, f := range p.Families {
					assert.False(t, strings.HasSuffix(f.Name, "_created"), f.Name)
					for _, s := range f.Series {
						if f.Type == model.MetricTypeHistogram && assert.True(t, s.Histogram.Valid(), f.Name) {
							assertCopies(t, s.Histogram)
						}
					}
				}
			})
		}
	}
}
