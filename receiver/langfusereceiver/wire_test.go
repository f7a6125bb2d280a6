package langfusereceiver

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/component"
)

// wire stands for the network between the receiver and a server. It is a middleware
// of the HTTP client, so that no connection is made, which a bubble could not have.
type wire struct {
	component.StartFunc
	component.ShutdownFunc

	mu      sync.Mutex
	handler http.Handler
	// before and after are called with each request, if they are there.
	before, after func(*http.Request)
	asked         []string
}

var wireID = component.MustNewID("wire")

func (w *wire) GetHTTPRoundTripper(http.RoundTripper) (http.RoundTripper, error) { return w, nil }

func (w *wire) RoundTrip(req *http.Request) (resp *http.Response, err error) {
	w.mu.Lock()
	handler, before, after := w.handler, w.before, w.after
	w.asked = append(w.asked, strings.TrimPrefix(req.URL.Path, root))
	w.mu.Unlock()
	if before != nil {
		before(req)
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if handler == nil {
		return nil, io.ErrUnexpectedEOF
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, req)
	if after != nil {
		after(req)
	}
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	return recorder.Result(), nil
}

// connect puts another server at the end of the wire; nil: none.
func (w *wire) connect(handler http.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handler = handler
}

// requests counts those to a path so far.
func (w *wire) requests(path string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, asked := range w.asked {
		if asked == path {
			n++
		}
	}
	return n
}

// queries counts those of metrics so far.
func (w *wire) queries() int {
	return w.requests("/v2/metrics") + w.requests("/metrics") + w.requests("/metrics/daily")
}
