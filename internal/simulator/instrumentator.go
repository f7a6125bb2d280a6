package simulator

import "time"

// instrumentator is the state of the http_* families, which FastAPI's Prometheus instrumentator counts in the API server.
// Its own paths (/metrics, /health, /version, ..) are excluded there.
type instrumentator struct {
	calls []httpCall // in order of first use, as on the page
	stats map[httpCall]*httpStats
	fine  *histogram
}

// httpCall identifies a series: the route, the method and the class of the status, e.g. "2xx".
type httpCall struct{ handler, method, status string }

type httpStats struct {
	created             time.Time
	n                   float64
	request, answer, in *histogram
}

func newInstrumentator() instrumentator {
	return instrumentator{
		stats: map[httpCall]*httpStats{},
		fine: newHistogram([]float64{
			0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5, 10, 30, 60,
		}),
	}
}

// observe counts n equal calls that took so many seconds.
func (in *instrumentator) observe(c httpCall, n int, took float64, requestBytes, answerBytes int, now time.Time) {
	if n <= 0 {
		return
	}
	s := in.stats[c]
	if s == nil {
		s = &httpStats{created: now, request: newHistogram(nil), answer: newHistogram(nil), in: newHistogram([]float64{0.1, 0.5, 1})}
		in.stats[c] = s
		in.calls = append(in.calls, c)
	}
	s.n += float64(n)
	s.request.observe(float64(requestBytes), n)
	s.answer.observe(float64(answerBytes), n)
	s.in.observe(took, n)
	in.fine.observe(took, n)
}

func (in *instrumentator) write(p *page, started time.Time) {
	var total []series
	for _, c := range in.calls {
		s := in.stats[c]
		total = append(total, series{
			labels: []label{{"handler", c.handler}, {"method", c.method}, {"status", c.status}}, value: s.n, created: s.created,
		})
	}
	byHandler := func(c httpCall) httpCall { return httpCall{handler: c.handler} }
	byMethod := func(c httpCall) httpCall { return httpCall{handler: c.handler, method: c.method} }
	p.family("http_requests", kindCounter, "Answers by route, method and status.", total)
	p.family("http_request_size_bytes", kindSummary, "Size of requests.",
		in.merge(byHandler, func(s *httpStats) *histogram { return s.request }))
	p.family("http_response_size_bytes", kindSummary, "Size of answers.",
		in.merge(byHandler, func(s *httpStats) *histogram { return s.answer }))
	p.family("http_request_duration_highr_seconds", kindHistogram, "Duration of all calls in many buckets.",
		[]series{{hist: in.fine, created: started}})
	p.family("http_request_duration_seconds", kindHistogram, "Duration of calls by route in few buckets.",
		in.merge(byMethod, func(s *httpStats) *histogram { return s.in }))
}

// merge adds up the histograms of calls that have the same key.
func (in *instrumentator) merge(key func(httpCall) httpCall, pick func(*httpStats) *histogram) []series {
	var all []series
	at := map[httpCall]int{}
	for _, c := range in.calls {
		k, s := key(c), in.stats[c]
		h := pick(s)
		i, known := at[k]
		if !known {
			i = len(all)
			at[k] = i
			labels := []label{{"handler", k.handler}}
			if k.method != "" {
				labels = append(labels, label{"method", k.method})
			}
			all = append(all, series{labels: labels, hist: newHistogram(h.bounds), created: s.created})
		}
		sum := all[i].hist
		sum.sum += h.sum
		for b, n := range h.counts {
			sum.counts[b] += n
		}
	}
	return all
}
