package litellmreceiver

import (
	"bytes"
	"math"
	"reflect"
	"strings"

	prom "github.com/prometheus/common/model"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

const (
	prefix       = "litellm_"
	processStart = "process_start_time_seconds"
	// notPremium is all that a proxy before 1.80.0 shows without an enterprise licence.
	notPremium = "not_a_premium_user_metric"
)

// wanted keeps what the receiver may use: LiteLLM's own families without those
// that are left out or switched off, and the start of the process. Start times of
// single series are not: they would double the page, and that of the process says the
// same.
func wanted(cfg *Config) func(name []byte) bool {
	off := switchedOff(cfg)
	return func(name []byte) bool {
		if string(name) == processStart {
			return true
		}
		bare, ok := bytes.CutPrefix(name, []byte(prefix))
		if !ok || bytes.HasSuffix(bare, []byte("_created")) {
			return false
		}
		family := string(bytes.TrimSuffix(bare, []byte("_total")))
		return !off[family] && !leftOut(family)
	}
}

// switchedOff are the families that nothing is made of.
func switchedOff(cfg *Config) map[string]bool {
	enabled := make(map[string]bool)
	metrics := reflect.ValueOf(&cfg.Metrics).Elem()
	for i := range metrics.NumField() {
		enabled[metrics.Type().Field(i).Tag.Get("mapstructure")] = metrics.Field(i).FieldByName("Enabled").Bool()
	}
	off := make(map[string]bool)
	for source, n := range numberOf {
		off[source] = !enabled[n.metric]
	}
	for source, h := range histogramOf {
		off[source] = !cfg.Histograms.enabled(h)
	}
	return off
}

// bareName is the name that the tables have: without the prefix, and without the
// _total of a counter. It returns false for names that are not LiteLLM's.
func bareName(name string, typ prom.MetricType) (string, bool) {
	bare, ok := strings.CutPrefix(name, prefix)
	if typ == prom.MetricTypeCounter || typ == prom.MetricTypeUnknown {
		bare = strings.TrimSuffix(bare, "_total")
	}
	return bare, ok
}

// proxyPage is a page under names that do not depend on the version.
type proxyPage struct {
	page *promtext.Page
	// families of LiteLLM that have series, be they such as cannot be.
	families map[string]*promtext.Family
	// announced is the number of families of LiteLLM, with those that have no series.
	announced int
	// start is the Unix time in seconds at which the process began; 0 if the page does
	// not tell, as with several workers that share their metrics.
	start float64
	// counted is the sum of all counters: it falls only on a restart. It is no number
	// if one of them is none.
	counted float64
}

func newProxyPage(page *promtext.Page) *proxyPage {
	p := &proxyPage{page: page, families: make(map[string]*promtext.Family, len(page.Families))}
	for i := range page.Families {
		f := &page.Families[i]
		name, ok := bareName(f.Name, f.Type)
		if ok {
			p.announced++
		}
		if len(f.Series) == 0 && f.Invalid == 0 {
			continue
		}
		if !ok {
			p.start = plausibleTime(f.Series[0].Value) // not reduced
			continue
		}
		p.families[name] = f
		if f.Type == prom.MetricTypeCounter {
			for j := range f.Series {
				p.counted += f.Series[j].Value
			}
		}
	}
	return p
}

// first returns the first of the families that the page has.
func (p *proxyPage) first(names []string) *promtext.Family {
	for _, name := range names {
		if f := p.families[name]; f != nil {
			return f
		}
	}
	return nil
}

// plausibleTime returns the Unix time in seconds, or 0 if it cannot be one: not
// after 1970 and before the year 2262, which is as far as nanoseconds reach.
func plausibleTime(seconds float64) float64 {
	if seconds > 0 && seconds < math.MaxInt64/1e9 {
		return seconds
	}
	return 0
}

func isNumber(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
