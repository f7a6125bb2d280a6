package vllmreceiver

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// faults says what each bad server is reported as.
var faults = map[simulator.Fault]struct {
	up     float64
	reason string
	state  string
}{
	simulator.FaultSlow:              {0, "timeout", "unreachable"},
	simulator.FaultDrip:              {0, "timeout", "unreachable"},
	simulator.FaultGarbage:           {0, "malformed", "ready"},
	simulator.FaultHTML:              {0, "not_metrics", "unknown"},
	simulator.FaultUnauthorized:      {0, "401", "ready"},
	simulator.FaultForbidden:         {0, "403", "ready"},
	simulator.FaultNotFound:          {0, "404", "ready"},
	simulator.FaultServerError:       {0, "500", "ready"},
	simulator.FaultRedirectLoop:      {0, "redirect", "unknown"},
	simulator.FaultRedirectElsewhere: {0, "redirect", "unknown"},
	simulator.FaultHugePage:          {0, "too_large", "ready"},
	simulator.FaultHugeLine:          {0, "too_large", "ready"},
	simulator.FaultGzipBomb:          {0, "too_large", "ready"},
	simulator.FaultTruncated:         {0, "truncated", "ready"},
	simulator.FaultNaNInf:            {1, "invalid_value", "ready"},
	simulator.FaultEmptyBody:         {1, "no_engine_metrics", "ready"},
	simulator.FaultDropConnection:    {0, "connection_error", "unreachable"},
	simulator.FaultTooManyRequests:   {0, "429", "ready"},
}

// TestFaults: a good server turns bad and good again. Each change gives one line
// in the log, however many scrapes lie between.
func TestFaults(t *testing.T) {
	for _, fault := range simulator.Faults() {
		t.Run(fault.String(), func(t *testing.T) {
			want, ok := faults[fault]
			require.True(t, ok, "a new fault: say what it is to be reported as")
			c := newClock()
			v := simulator.NewVLLM(simulator.VLLMConfig{Now: c.now})
			v.Play(1, time.Hour, 2)
			v.SetLoad(0, simulator.VLLMLoad{Running: 1})
			faulty := &simulator.Faulty{Next: v.Handler()}
			p := newProbe(t, c, serve(t, faulty), func(cfg *Config) { cfg.Endpoints[0].Timeout = time.Minute })
			good := p.read(t)
			require.Len(t, p.logs.TakeAll(), 1)

			faulty.Set(fault)
			if want.reason == "timeout" {
				p.server.(*httpServer).client.Timeout = 50 * time.Millisecond
			}
			var bad readings
			for range 3 {
				bad = p.read(t)
				assert.InDelta(t, want.up, bad.value(t, "vllm.up"), 0)
				assert.Equal(t, want.reason, bad.problem(t))
				assert.Equal(t, want.state, bad.state(t))
				assert.Equal(t, good.of("vllm.model.info")[0].attributes, bad.of("vllm.model.info")[0].attributes, "the identity stays")
			}
			if fault == simulator.FaultNaNInf {
				assert.Positive(t, bad.value(t, "vllm.scrape.invalid_series"))
				assertFinite(t, bad)
			} else {
				assert.Empty(t, bad.of("vllm.tokens.output"))
			}
			lines := p.logs.TakeAll()
			require.Len(t, lines, 1)
			assert.Equal(t, want.reason, lines[0].ContextMap()["reason"])
			assert.NotEmpty(t, lines[0].ContextMap()["hint"])
			assert.NotEmpty(t, lines[0].ContextMap()["server"])

			faulty.Set(simulator.FaultNone)
			p.server.(*httpServer).client.Timeout = time.Minute
			for range 3 {
				again := p.read(t)
				assert.InDelta(t, 1, again.value(t, "vllm.up"), 0)
				assert.Empty(t, again.problem(t))
				assert.Zero(t, again.value(t, "vllm.scrape.error{error.type="+want.reason+"}"))
				for _, r := range again.of("vllm.tokens.output") {
					assert.Equal(t, good.of("vllm.tokens.output")[0].start, r.start, "the server did not restart")
				}
			}
			lines = p.logs.TakeAll()
			require.Len(t, lines, 1)
			assert.Equal(t, "The vLLM server is read again.", lines[0].Message)
		})
	}
}

func assertFinite(t *testing.T, got readings) {
	t.Helper()
	for key, r := range got {
		assert.True(t, isNumber(r.value), key)
		if r.isHistogram() {
			assert.True(t, isNumber(r.histogram.Sum()), key)
		}
	}
}

// counting counts what a handler writes.
type counting struct {
	http.ResponseWriter
	written *atomic.Int64
}

func (w counting) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	w.written.Add(int64(n))
	return n, err
}

// TestHugeAnswers: reading ends early, and memory stays bounded meanwhile.
func TestHugeAnswers(t *testing.T) {
	for _, fault := range []simulator.Fault{simulator.FaultHugePage, simulator.FaultHugeLine, simulator.FaultGzipBomb} {
		t.Run(fault.String(), func(t *testing.T) {
			faulty := &simulator.Faulty{Next: http.NotFoundHandler(), Bytes: 1 << 30}
			if fault == simulator.FaultGzipBomb {
				faulty.Bytes = 100 << 30 // a thousandth of it is sent
			}
			faulty.Set(fault)
			var written atomic.Int64
			url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				faulty.ServeHTTP(counting{w, &written}, r)
			}))
			p := newProbe(t, newClock(), url, func(cfg *Config) { cfg.Endpoints[0].Timeout = time.Minute; cfg.Timeout = time.Minute })

			var got readings
			growth := heapGrowth(func() { got = p.read(t) })
			assert.Equal(t, "too_large", got.problem(t))
			assert.Less(t, growth, int64(64<<20))
			assert.Less(t, written.Load(), int64(64<<20), "the page was read on")
		})
	}
}

// heapGrowth is by how much the heap grows at most while f runs.
func heapGrowth(f func()) int64 {
	heap := func() int64 {
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	runtime.GC()
	base, done, peak := heap(), make(chan struct{}), make(chan int64)
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		highest := base
		for {
			highest = max(highest, heap())
			select {
			case <-tick.C:
			case <-done:
				peak <- highest
				return
			}
		}
	}()
	f()
	close(done)
	return <-peak - base
}

func TestReasonOf(t *testing.T) {
	for want, err := range map[string]error{
		"503":                    &apiclient.StatusError{Code: 503},
		reasonNotMetrics:         apiclient.ErrHTML,
		reasonContainerPaused:    &containerError{reasonContainerPaused},
		apiclient.ReasonRefused:  syscall.ECONNREFUSED,
		apiclient.ReasonTooLarge: promtext.ErrTooManySeries,
	} {
		assert.Equal(t, want, reasonOf(&url.Error{Op: "Get", URL: "http://a", Err: err}))
	}
}

func TestAnswered(t *testing.T) {
	for _, reason := range []string{apiclient.ReasonTimeout, apiclient.ReasonRefused, reasonContainerExited, reasonContainerPaused, reasonContainerRestarting, reasonNoAddress} {
		assert.False(t, answered(reason), reason)
	}
	for _, reason := range []string{"401", apiclient.ReasonRedirect, reasonNotMetrics, reasonNoEngineMetrics} {
		assert.True(t, answered(reason), reason)
	}
}

func TestTLSProblems(t *testing.T) {
	h := simulator.NewVLLM(simulator.VLLMConfig{}).Handler()
	secure := httptest.NewTLSServer(h)
	t.Cleanup(secure.Close)
	secure.Config.ErrorLog = nil
	plain := serve(t, h)

	assert.Equal(t, "tls", newProbe(t, newClock(), secure.URL).read(t).problem(t), "unknown authority")
	assert.Equal(t, "tls", newProbe(t, newClock(), "https"+plain[4:]).read(t).problem(t), "https where http is spoken")
	assert.Equal(t, "400", newProbe(t, newClock(), "http"+secure.URL[5:]).read(t).problem(t), "http where https is spoken")
	assert.Equal(t, "name_not_found", newProbe(t, newClock(), "http://no-such-host.invalid:8000").read(t).problem(t))
}

func TestHintFor(t *testing.T) {
	for reason, hint := range hints {
		assert.Equal(t, hint, hintFor(reason))
		assert.NotEqual(t, apiclient.Hint(reason), hint, "no need to say it here")
	}
	assert.Equal(t, apiclient.Hint(apiclient.ReasonConnection), hintFor(apiclient.ReasonConnection))
	assert.Equal(t, "See the server's own log.", hintFor("500"))
}
