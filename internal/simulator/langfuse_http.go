package simulator

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// langfuseFamily is a set of endpoints that live and die together.
type langfuseFamily int

const (
	familyOpen   langfuseFamily = iota // needs no key
	familyAny                          // in every version and mode
	familyLegacy                       // reads the old tables
	familyEvents                       // reads the table of events
)

// langfuseRoute is an endpoint: since when, counted in which bucket, answered by what.
type langfuseRoute struct {
	since  langfuseRelease
	family langfuseFamily
	bucket langfuseBucket
	// writes: the path takes POST too, so it stays when reading is removed and answers 405 then (~).
	writes bool
	// replacement is what _deprecation points to.
	replacement string
	// data: it needs the data base.
	data  bool
	parse func(l *Langfuse, q url.Values) (langfuseAnswer, *langfuseRefusal)
}

// langfuseAnswer is a request whose parameters are in order. It returns the body.
type langfuseAnswer func() (any, *langfuseRefusal)

const (
	replacedByMetrics      = "GET /api/public/v2/metrics?query=<urlencoded json query>"
	replacedByObservations = "GET /api/public/v2/observations?fromStartTime=<from>&toStartTime=<to>"
	replacedByScores       = "GET /api/public/v3/scores"
)

// langfuseRoutes are the paths under /api/public that a monitor reads.
var langfuseRoutes = map[string]langfuseRoute{
	"/health":        {family: familyOpen, parse: (*Langfuse).health},
	"/ready":         {family: familyOpen, parse: (*Langfuse).ready},
	"/projects":      {family: familyAny, writes: true, parse: (*Langfuse).projects},
	"/models":        {family: familyAny, bucket: bucketOther, data: true, parse: (*Langfuse).models},
	"/metrics/daily": {family: familyLegacy, bucket: bucketDaily, replacement: replacedByMetrics, data: true, parse: (*Langfuse).daily},
	"/metrics": {
		since: langfuseMetricsV1, family: familyLegacy, bucket: bucketMetrics, replacement: replacedByMetrics, data: true,
		parse: (*Langfuse).metricsV1,
	},
	"/traces": {
		family: familyLegacy, bucket: bucketLegacy, writes: true, replacement: replacedByObservations, data: true,
		parse: (*Langfuse).listTraces,
	},
	"/sessions": {
		family: familyLegacy, bucket: bucketLegacy, replacement: replacedByObservations, data: true, parse: (*Langfuse).listSessions,
	},
	"/observations": {
		family: familyLegacy, bucket: bucketLegacy, replacement: replacedByObservations, data: true,
		parse: (*Langfuse).listObservations,
	},
	"/scores": {
		family: familyLegacy, bucket: bucketOther, writes: true, replacement: replacedByScores, data: true,
		parse: (*Langfuse).listScoresV1,
	},
	"/v2/scores": {
		since: langfuseScoresV2, family: familyLegacy, bucket: bucketOther, replacement: replacedByScores, data: true,
		parse: (*Langfuse).listScoresV2,
	},
	"/v2/metrics": {
		since: langfuseEventsAPI, family: familyEvents, bucket: bucketV2, data: true, parse: (*Langfuse).metricsV2,
	},
	"/v2/observations": {
		since: langfuseEventsAPI, family: familyEvents, bucket: bucketOther, data: true, parse: (*Langfuse).pageObservations,
	},
	"/v3/scores": {since: langfuseScoresV3, family: familyAny, bucket: bucketOther, data: true, parse: (*Langfuse).pageScores},
}

// Handler serves the public API under PathPrefix + /api/public.
func (l *Langfuse) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, refusal := l.serve(w.Header(), r)
		if refusal != nil {
			refusal.write(w)
			return
		}
		writeJSON(w, http.StatusOK, body)
	})
}

// serve finds the answer. It is written without the lock, so that a slow client stops nobody.
func (l *Langfuse) serve(header http.Header, r *http.Request) (any, *langfuseRefusal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	header.Set("Date", l.cfg.Now().Add(l.cfg.Skew).UTC().Format(http.TimeFormat))
	path, inside := strings.CutPrefix(r.URL.Path, strings.TrimSuffix(l.cfg.PathPrefix, "/")+"/api/public")
	route, known := langfuseRoutes[path]
	if !inside || !known {
		l.requests[""]++
		return nil, noRoute()
	}
	l.requests[path]++
	return l.answer(header, r, &route)
}

// answer goes through the checks in the order in which the real one makes them.
func (l *Langfuse) answer(header http.Header, r *http.Request, route *langfuseRoute) (any, *langfuseRefusal) {
	if refusal := l.offered(route, r.Method); refusal != nil {
		return nil, refusal
	}
	if route.family != familyOpen {
		if refusal := l.authorised(r); refusal != nil {
			return nil, refusal
		}
		if refusal := l.spend(header, route.bucket); refusal != nil {
			return nil, refusal
		}
	}
	answer, refusal := route.parse(l, r.URL.Query())
	if refusal == nil {
		refusal = l.working(route)
	}
	if refusal != nil {
		return nil, refusal
	}
	body, refusal := answer()
	if answered, isObject := body.(map[string]any); isObject && route.replacement != "" && l.release.from(langfuse4) {
		answered["_deprecation"] = deprecation(route.replacement)
	}
	return body, refusal
}

// offered is whether the route exists here for reading.
func (l *Langfuse) offered(route *langfuseRoute, method string) *langfuseRefusal {
	reads := readsAnswer
	if route.family == familyLegacy {
		reads = l.legacyReads()
	}
	switch {
	case !l.release.from(route.since), reads == readsRemoved && !route.writes:
		return noRoute()
	case method != http.MethodGet, reads == readsRemoved:
		return refuse(http.StatusMethodNotAllowed, "MethodNotAllowedError", "Method not allowed")
	case reads == readsEventsOnly:
		return &langfuseRefusal{status: http.StatusNotFound, body: map[string]any{"message": "This endpoint is not available on " +
			"deployments running in Langfuse v4 events_only mode. Learn more about Langfuse v4 at: https://langfuse.com/docs/v4"}}
	default:
		return nil
	}
}

// working is what is checked when the parameters are in order: the tables that the route reads, and the data base.
func (l *Langfuse) working(route *langfuseRoute) *langfuseRefusal {
	reads := readsAnswer
	switch route.family {
	case familyLegacy:
		reads = l.legacyReads()
	case familyEvents:
		reads = l.eventReads()
	}
	switch {
	case reads == readsNewOrganization:
		return refuse(http.StatusGone, "LEGACY_API_UNAVAILABLE_FOR_NEW_ORGANIZATION", "This is a legacy API that is not available "+
			"to organizations created on or after the cutoff. Migrate this request to "+route.replacement+".")
	case reads == readsCloudOnly:
		return refuse(http.StatusNotImplemented, "NotImplementedError",
			"v2 APIs are currently in beta and only available on Langfuse Cloud")
	case reads == readsNoEvents:
		return refuse(http.StatusNotFound, "LangfuseNotFoundError",
			"This API is only available in a Langfuse v4 write mode. Learn more at: https://langfuse.com/docs/v4")
	case l.databaseDown && route.data:
		return refuse(http.StatusInternalServerError, "An unknown error occurred", "Internal Server Error")
	default:
		return nil
	}
}

// authorised checks the key: HTTP Basic, the public key as user and the secret key as password.
func (l *Langfuse) authorised(r *http.Request) *langfuseRefusal {
	message := "Invalid credentials. Confirm that you've configured the correct host."
	public, secret, ok := r.BasicAuth()
	switch {
	case r.Header.Get("Authorization") == "":
		message = "No authorization header"
	case ok && public != "" && public == l.cfg.PublicKey && secret == l.cfg.SecretKey:
		return nil
	}
	return &langfuseRefusal{status: http.StatusUnauthorized, body: map[string]any{"message": message}}
}

func (f *langfuseRefusal) write(w http.ResponseWriter) {
	if f.text == "" {
		writeJSON(w, f.status, f.body)
		return
	}
	contentType := "text/plain; charset=utf-8"
	if strings.HasPrefix(f.text, "<") {
		contentType = "text/html; charset=utf-8"
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(f.status)
	_, _ = io.WriteString(w, f.text) // #nosec G705 -- texts of langfuse_refusal.go, nothing of the request
}

// deprecation is what v1 reads say of themselves from 4.0 on. Later builds say it on the Cloud only (~).
func deprecation(replacement string) map[string]any {
	return map[string]any{
		"message": "On Langfuse Cloud, Langfuse v3 is deprecated and this endpoint will be removed on November 16, 2026. Use `" +
			replacement + "` instead.",
		"replacement": replacement,
		"docsUrl":     "https://langfuse.com/docs/compatibility",
		"sunsetAt":    langfuseRemoval.Format(time.DateOnly),
	}
}
