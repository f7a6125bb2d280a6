package simulator

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// LiteLLMCrowd is the page of a proxy with more callers than anybody wants to hold: each is a key of its own with an address,
// every two are a user, and each has a series in every family that tells keys apart. The page is written as it is sent.
type LiteLLMCrowd struct {
	// Version is the dialect. Empty means the newest. An unknown one panics, which is a mistake in a test.
	Version LiteLLMVersion
	// Callers is how many there are.
	Callers int
	// Models is how many they share. 0 means 12.
	Models int
	// Families are those of the page, by name, without _total. Nil means those that a request which goes well counts in. One
	// that the dialect does not have, or that does not tell keys apart, panics.
	Families []string
	// Read is which page it is: counters rise from one to the next.
	Read int
}

// crowdKeys are the families that a request which goes well counts in.
var crowdKeys = []string{
	"total", "latency", "upstream", "first", "spend", "total_tokens", "input_tokens", "output_tokens", "overhead", "queue", "successes",
	"calls", "per_token", "model_requests",
}

// families are those of the page.
func (c LiteLLMCrowd) families() []liteFamily {
	cfg := LiteLLMConfig{Version: c.Version}.withDefaults()
	var list []liteFamily
	for _, f := range cfg.families() {
		if slices.Contains(f.labels, "hashed_api_key") && (c.Families == nil && slices.Contains(crowdKeys, f.key) || slices.Contains(c.Families, f.name)) {
			list = append(list, f)
		}
	}
	if liteOrder(cfg.Version) < 0 || c.Families != nil && len(list) != len(c.Families) {
		panic(fmt.Sprintf("simulator: no LiteLLM %s that has all of %v by key", cfg.Version, c.Families))
	}
	return list
}

// Lines is how many samples each caller has on the page.
func (c LiteLLMCrowd) Lines() int {
	lines := 0
	for _, f := range c.families() {
		switch f.kind {
		case kindHistogram:
			lines += len(f.bounds) + 4 // the last bucket, count, sum, _created
		case kindCounter:
			lines += 2
		default:
			lines++
		}
	}
	return lines
}

// Total is what each counter adds up to, and the count of each histogram.
func (c LiteLLMCrowd) Total() float64 {
	sum := 0.0
	for i := range c.Callers {
		sum += c.count(i)
	}
	return sum
}

// count is how often a caller has called; what is left of its budget is the same number.
func (c LiteLLMCrowd) count(caller int) float64 { return float64((1 + caller%7) * (1 + c.Read)) }

// Handler serves the page under /metrics/, the next one with each read, and leaves the rest to next.
func (c LiteLLMCrowd) Handler(next http.Handler) http.Handler {
	var reads atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/metrics/" {
			next.ServeHTTP(w, r)
			return
		}
		page := c
		page.Read += int(reads.Add(1)) - 1
		_, _ = page.WriteTo(plain(w))
	})
}

// WriteTo writes the page. It implements io.WriterTo.
func (c LiteLLMCrowd) WriteTo(w io.Writer) (int64, error) {
	out := &crowdWriter{crowd: c, to: bufio.NewWriterSize(w, 64<<10)}
	setDefault(&out.crowd.Models, 12)
	for m := range out.crowd.Models {
		out.models = append(out.models, LiteLLMHash("model-"+itoa(m)))
	}
	for _, f := range c.families() {
		out.family(&f)
	}
	if out.err == nil {
		out.err = out.to.Flush()
	}
	return out.written, out.err
}

// crowdWriter writes lines without a map or a slice of labels for each.
type crowdWriter struct {
	crowd   LiteLLMCrowd
	models  []string
	to      *bufio.Writer
	line    []byte
	written int64
	err     error
}

func (w *crowdWriter) family(f *liteFamily) {
	name := f.name
	if f.kind == kindCounter {
		name += "_total"
	}
	w.declare(name, [...]string{"gauge", "counter", "histogram"}[f.kind], f.help)
	labels := slices.Sorted(slices.Values(f.labels))
	le, _ := slices.BinarySearch(labels, "le")
	for i := 0; i < w.crowd.Callers && w.err == nil; i++ {
		before, after := w.block(labels[:le], i), w.block(labels[le:], i)
		both := strings.Trim(before+","+after, ",")
		n := w.crowd.count(i)
		if f.kind != kindHistogram {
			w.sample(name, both, n)
			continue
		}
		at := i % len(f.bounds) // all that a caller asked for took equally long
		for j := range len(f.bounds) + 1 {
			bound, cumulative := math.Inf(1), 0.0
			if j < len(f.bounds) {
				bound = f.bounds[j]
			}
			if j >= at {
				cumulative = n
			}
			w.sample(name+"_bucket", strings.Trim(before+`,le="`+formatFloat(bound)+`",`+after, ","), cumulative)
		}
		w.sample(name+"_count", both, n)
		w.sample(name+"_sum", both, n*f.bounds[at])
	}
	if f.kind == kindGauge {
		return
	}
	created := f.name + "_created"
	w.declare(created, "gauge", f.help)
	for i := 0; i < w.crowd.Callers && w.err == nil; i++ {
		w.sample(created, w.block(labels, i), unix(time.Unix(1_772_366_400, int64(i)*1000)))
	}
}

func (w *crowdWriter) declare(name, kind, help string) {
	w.line = append(w.line[:0], "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
	w.flush()
}

func (w *crowdWriter) sample(name, labels string, value float64) {
	w.line = append(append(append(append(w.line[:0], name...), '{'), labels...), "} "...)
	w.line = append(append(w.line, formatFloat(value)...), '\n')
	w.flush()
}

// flush writes a line. Once the reader is gone nothing more is written.
func (w *crowdWriter) flush() {
	var n int
	n, w.err = w.to.Write(w.line)
	w.written += int64(n)
}

// block are labels of a caller.
func (w *crowdWriter) block(labels []string, caller int) string {
	b := make([]byte, 0, 32*len(labels))
	for i, name := range labels {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, name...), `="`...), w.value(name, caller)...)
		b = append(b, '"')
	}
	return string(b)
}

func (w *crowdWriter) value(label string, caller int) string {
	model := caller % w.crowd.Models
	switch label {
	case "hashed_api_key":
		return LiteLLMHash("sk-" + itoa(caller))
	case "api_key_alias":
		return "service-" + itoa(caller)
	case "user":
		return "user-" + itoa(caller/2)
	case "user_email":
		return "user-" + itoa(caller/2) + "@example.com"
	case "team":
		return "team-id-" + itoa(caller%40)
	case "team_alias":
		return "team-" + itoa(caller%40)
	case "client_ip":
		return "10." + itoa(caller>>16&255) + "." + itoa(caller>>8&255) + "." + itoa(caller&255)
	case "user_agent":
		return "openai-python/1." + itoa(caller%90) + ".0"
	case "model", "litellm_model_name":
		return "example-org/Large-Language-Model-" + itoa(model) + "-Instruct"
	case "requested_model", "model_group":
		return "large-model-" + itoa(model)
	case "model_id":
		return w.models[model]
	case "api_base":
		return "http://vllm-" + itoa(model) + ":8000/v1"
	case "api_provider":
		return "hosted_vllm"
	case "route":
		return "/v1/chat/completions"
	case "status_code":
		return strconv.Itoa(http.StatusOK)
	}
	return "None"
}
