package litellmreceiver

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// faults is what becomes of each way to misbehave: on the page alone, and everywhere.
var faults = map[simulator.Fault]struct {
	page, all string
	// up is that of a proxy which misbehaves everywhere.
	up float64
}{
	simulator.FaultSlow:              {"timeout", "timeout", 0},
	simulator.FaultDrip:              {"timeout", "timeout", 1}, // the liveliness is short enough
	simulator.FaultGarbage:           {"malformed", "malformed", 0},
	simulator.FaultHTML:              {"html", "html", 0},
	simulator.FaultUnauthorized:      {"401", "401", 0},
	simulator.FaultForbidden:         {"403", "403", 0},
	simulator.FaultNotFound:          {"404", "404", 0},
	simulator.FaultServerError:       {"500", "500", 0},
	simulator.FaultRedirectLoop:      {"redirect", "redirect", 0},
	simulator.FaultRedirectElsewhere: {"redirect", "redirect", 0},
	simulator.FaultHugePage:          {"too_large", "malformed", 0},
	simulator.FaultHugeLine:          {"too_large", "malformed", 0},
	simulator.FaultGzipBomb:          {"too_large", "malformed", 0},
	simulator.FaultTruncated:         {"truncated", "truncated", 0},
	simulator.FaultNaNInf:            {"invalid_value", "invalid_value", 1},
	simulator.FaultEmptyBody:         {"no_metrics", "no_metrics", 1},
	simulator.FaultTooManyRequests:   {"429", "429", 0},
	simulator.FaultDropConnection:    {"connection_error", "connection_error", 0},
}

// TestFaults: nothing that a page does stops the API, and each fault has one line
// with what to do.
func TestFaults(t *testing.T) {
	for _, fault := range simulator.Faults() {
		for _, all := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/all_%t", fault, all), func(t *testing.T) {
				t.Parallel()
				c := newClock()
				l := simulator.NewLiteLLM(simulator.LiteLLMConfig{Now: c.now, Deployments: models()})
				traffic(l)
				plain := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					r.Header.Del("Accept-Encoding") // faults are in the text, not in what it is packed in
					l.Handler().ServeHTTP(w, r)
				})
				faulty := &simulator.Faulty{Next: plain, AllPaths: all, Bytes: 64 << 20}
				faulty.Set(fault)
				p := newProbe(t, c, serve(t, faulty), withKey, func(cfg *Config) {
					cfg.MaxPageSize, cfg.MaxResponseSize = 1<<20, 1<<20
					cfg.Timeout = time.Minute
					cfg.ClientConfig.Timeout = time.Minute
					if fault == simulator.FaultSlow || fault == simulator.FaultDrip {
						cfg.ClientConfig.Timeout = 200 * time.Millisecond
					}
				})
				got := p.read(t)
				want, up := faults[fault].page, 1.0
				if all {
					want, up = faults[fault].all, faults[fault].up
				} else {
					assert.Len(t, got.of("litellm.deployment.info"), 5, "the API goes on")
				}
				assert.InDelta(t, up, got.value(t, "litellm.up"), 0)
				var reasons []string
				for _, problem := range got.problems() {
					_, reason, _ := strings.Cut(problem, " ")
					reasons = append(reasons, reason)
				}
				assert.Contains(t, reasons, want, got.problems())
				p.read(t)
				lines := 0
				for _, entry := range p.logs.All() {
					if entry.ContextMap()["reason"] == want {
						lines++
						assert.NotEqual(t, "See the log of the proxy.", hintOf(want, entry.ContextMap()))
					}
				}
				assert.Equal(t, 1, lines, "one line: %v", p.logs.All())
			})
		}
	}
}

func hintOf(reason string, line map[string]any) any {
	if reason == "500" {
		return "" // nothing to say that would be right
	}
	return line["hint"]
}

func TestReasons(t *testing.T) {
	for _, tt := range []struct {
		err     error
		want    string
		refused bool
		offered bool
	}{
		{&apiclient.StatusError{Code: 401}, "401", true, true},
		{&apiclient.StatusError{Code: 403}, "403", true, true},
		{&apiclient.StatusError{Code: 404}, "404", false, false},
		{&apiclient.StatusError{Code: 429}, "429", false, true},
		{&apiclient.StatusError{Code: 500}, "500", false, false},
		{&apiclient.StatusError{Code: 502}, "502", false, true},
		{&apiclient.StatusError{Code: 400, Detail: `{"error":{"message":"no db"}}`}, "400", false, false},
		{&apiclient.StatusError{Code: 400, Detail: `{"error":{"message":"Authentication Error - Expired Key. Key Expiry time 2026-01-01","type":"expired_key"}}`}, "key_expired", true, true},
		{fmt.Errorf("%w: %w", apiclient.ErrGateClosed, &apiclient.StatusError{Code: 401}), "401", true, true},
		{errManyRows, "too_many_rows", false, true},
		{errors.New("anything"), "connection_error", false, true},
		{nil, "connection_error", false, true},
	} {
		assert.Equal(t, tt.want, reasonOf(tt.err), tt.err)
		assert.Equal(t, tt.refused, refusal(tt.err), tt.err)
		assert.Equal(t, tt.offered, !notOffered(tt.err), tt.err)
	}
	for reason, hint := range hints {
		assert.Regexp(t, `^[A-Z].*\.$`, hint, reason)
	}
}

// TestSecrets: neither the printed configuration nor any error has the key.
func TestSecrets(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.APIKey = masterKey
	conf := confmap.New()
	require.NoError(t, conf.Marshal(cfg))
	assert.NotContains(t, fmt.Sprint(conf.ToStringMap()), masterKey)
	assert.NotContains(t, fmt.Sprintf("%+v %v %#v", cfg, cfg, cfg.APIKey), masterKey)

	// A proxy that repeats the key in all that it says.
	c := newClock()
	echo := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get("Authorization")
		switch {
		case r.URL.Path == "/health/liveliness":
			_, _ = io.WriteString(w, `"I'm alive!"`)
		case strings.HasPrefix(r.URL.Path, "/metrics"):
			_, _ = fmt.Fprintf(w, "litellm_x{key=\"%s\" 1\n", key)
		case r.URL.Path == "/model/info":
			http.Error(w, `{"error":{"message":"Expired Key `+key+`"}}`, http.StatusBadRequest)
		default:
			http.Error(w, key, http.StatusUnauthorized)
		}
	})
	p := newProbe(t, c, serve(t, echo), withKey)
	got := p.read(t)
	assert.NotEmpty(t, got.problems())
	var text bytes.Buffer
	for _, entry := range p.logs.All() {
		_, _ = fmt.Fprintln(&text, entry.Message, entry.ContextMap())
	}
	assert.NotEmpty(t, text.String())
	assert.NotContains(t, text.String(), masterKey)
	for key := range got {
		assert.NotContains(t, key, masterKey)
	}
}
