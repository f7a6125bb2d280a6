package simulator

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Fault is a way in which a server, or what stands between it and us, misbehaves.
type Fault int

// The faults. Those marked "wraps" change the answer of the real handler, the others replace it.
const (
	// FaultNone passes everything through.
	FaultNone Fault = iota
	// FaultSlow wraps: waits for Delay, or until the client goes, then answers well.
	FaultSlow
	// FaultDrip wraps: the answer comes at once but one byte per Delay.
	FaultDrip
	// FaultGarbage answers 200 with 64 KiB of random bytes.
	FaultGarbage
	// FaultHTML answers 200 with a login page, as an authenticating proxy does.
	FaultHTML
	// FaultUnauthorized answers 401.
	FaultUnauthorized
	// FaultForbidden answers 403.
	FaultForbidden
	// FaultNotFound answers 404.
	FaultNotFound
	// FaultServerError answers 500.
	FaultServerError
	// FaultRedirectLoop redirects to itself.
	FaultRedirectLoop
	// FaultRedirectElsewhere redirects to Location.
	FaultRedirectElsewhere
	// FaultHugePage answers Bytes of well-formed samples, each a series of its own.
	FaultHugePage
	// FaultHugeLine answers Bytes of one line that never ends.
	FaultHugeLine
	// FaultGzipBomb answers Bytes, counted after decompression, as a thousandth of it in gzip, asked for or not.
	FaultGzipBomb
	// FaultTruncated wraps: announces the whole answer, breaks off in the middle of a line.
	FaultTruncated
	// FaultNaNInf wraps: samples of all types have the values NaN, +Inf and -Inf in turn, every fourth stays.
	FaultNaNInf
	// FaultEmptyBody answers 200 and nothing.
	FaultEmptyBody
	// FaultDropConnection closes the connection without an answer.
	FaultDropConnection
	// FaultTooManyRequests answers 429, with Retry-After where RetryAfter is set.
	FaultTooManyRequests
)

var faultNames = [...]string{
	"none", "slow", "drip", "garbage", "html", "unauthorized", "forbidden", "not_found", "server_error", "redirect_loop",
	"redirect_elsewhere", "huge_page", "huge_line", "gzip_bomb", "truncated", "nan_inf", "empty_body", "drop_connection",
	"too_many_requests",
}

// String returns the fault's name in snake case, for the names of sub-tests.
func (f Fault) String() string {
	if f < 0 || int(f) >= len(faultNames) {
		return fmt.Sprintf("fault(%d)", int(f))
	}
	return faultNames[f]
}

// Faults lists all faults, without FaultNone.
func Faults() []Fault {
	all := make([]Fault, 0, len(faultNames)-1)
	for f := FaultNone + 1; int(f) < len(faultNames); f++ {
		all = append(all, f)
	}
	return all
}

// Faulty is a handler that misbehaves as last Set. The fields are read only: fill them before the first request.
type Faulty struct {
	// Next is the handler that works.
	Next http.Handler
	// AllPaths makes every path misbehave; otherwise only /metrics does, or what Path says.
	AllPaths bool
	// Path says which paths misbehave. Nil means /metrics.
	Path func(path string) bool
	// RetryAfter is for FaultTooManyRequests, in whole seconds. Zero leaves the header out.
	RetryAfter time.Duration
	// Delay is for FaultSlow and FaultDrip. Zero means a minute and 10 ms.
	Delay time.Duration
	// Bytes is the size of huge answers. Zero means 1 GiB, and 10 GiB for FaultGzipBomb.
	Bytes int64
	// Location is for FaultRedirectElsewhere. Empty means "https://login.invalid/".
	Location string
	// Series is the metric in huge answers. Empty means "vllm:num_requests_running".
	Series string

	fault atomic.Int64
}

// WithFault returns next with a fault on /metrics. Use Faulty itself to choose more, or to change the fault later.
func WithFault(fault Fault, next http.Handler) http.Handler {
	f := &Faulty{Next: next}
	f.Set(fault)
	return f
}

// Set changes the fault from the next request on. It may be called while requests are served.
func (f *Faulty) Set(fault Fault) { f.fault.Store(int64(fault)) }

// ServeHTTP implements http.Handler.
func (f *Faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := Fault(f.fault.Load())
	if !f.AllPaths && !f.concerns(r.URL.Path) {
		fault = FaultNone
	}
	switch fault {
	case FaultSlow:
		if wait(r, f.delay(time.Minute)) {
			f.Next.ServeHTTP(w, r)
		}
	case FaultDrip:
		drip(w, r, record(f.Next, r), f.delay(10*time.Millisecond))
	case FaultGarbage:
		_, _ = io.CopyN(plain(w), rand.NewChaCha8([32]byte{1}), 64<<10)
	case FaultHTML:
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, `<!DOCTYPE html><html><body><form action="/login"><input name="user"></form></body></html>`)
	case FaultUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
	case FaultForbidden:
		http.Error(w, "Forbidden", http.StatusForbidden)
	case FaultNotFound:
		http.NotFound(w, r)
	case FaultServerError:
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
	case FaultRedirectLoop:
		w.Header().Set("Location", r.URL.RequestURI())
		w.WriteHeader(http.StatusFound)
	case FaultRedirectElsewhere:
		location := f.Location
		setDefault(&location, "https://login.invalid/")
		w.Header().Set("Location", location)
		w.WriteHeader(http.StatusFound)
	case FaultHugePage:
		hugePage(plain(w), f.series(), f.bytes(1<<30))
	case FaultHugeLine:
		hugeLine(plain(w), f.series(), f.bytes(1<<30))
	case FaultGzipBomb:
		plain(w).Header().Set("Content-Encoding", "gzip")
		gzipBomb(w, f.series(), f.bytes(10<<30))
	case FaultTruncated:
		truncate(w, record(f.Next, r))
	case FaultNaNInf:
		answer := record(f.Next, r)
		answer.replay(w, notNumbers(answer.body.Bytes()))
	case FaultEmptyBody:
		plain(w).WriteHeader(http.StatusOK)
	case FaultDropConnection:
		panic(http.ErrAbortHandler) // net/http closes the connection and logs nothing
	case FaultTooManyRequests:
		if f.RetryAfter > 0 {
			w.Header().Set("Retry-After", itoa(int(f.RetryAfter/time.Second)))
		}
		http.Error(w, "Too Many Requests", http.StatusTooManyRequests)
	default:
		f.Next.ServeHTTP(w, r)
	}
}

func (f *Faulty) concerns(path string) bool {
	if f.Path != nil {
		return f.Path(path)
	}
	return strings.HasSuffix(strings.TrimSuffix(path, "/"), "/metrics")
}

func (f *Faulty) delay(otherwise time.Duration) time.Duration {
	if f.Delay > 0 {
		return f.Delay
	}
	return otherwise
}

func (f *Faulty) bytes(otherwise int64) int64 {
	if f.Bytes > 0 {
		return f.Bytes
	}
	return otherwise
}

func (f *Faulty) series() string {
	name := f.Series
	setDefault(&name, "vllm:num_requests_running")
	return name
}

func plain(w http.ResponseWriter) http.ResponseWriter {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	return w
}

// wait reports false if the client went away first.
func wait(r *http.Request, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func drip(w http.ResponseWriter, r *http.Request, answer *recorder, every time.Duration) {
	flusher := http.NewResponseController(w)
	answer.replay(w, nil)
	for _, b := range answer.body.Bytes() {
		if _, err := w.Write([]byte{b}); err != nil || flusher.Flush() != nil || !wait(r, every) {
			return
		}
	}
}
