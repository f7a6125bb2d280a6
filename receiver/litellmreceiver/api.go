package litellmreceiver

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
)

// told is what the API told, and what was wrong with asking.
type told struct {
	alive bool
	// ready is nil where the proxy does not say.
	ready     *bool
	readiness readiness
	// version and deployments outlive the proxy, so that an alert can name them.
	version     string
	deployments *deployments
	// the rest ends with it.
	models   *modelNames
	checks   []check
	activity *activity
	troubles []trouble
	// lacking are the endpoints that a key which is good may not ask.
	lacking []string
}

// answer is what an endpoint said; offered is false where this proxy does not have
// it, or lacks what it takes, such as a database. err is why the answer is of no use
// although there was one. All that is remembered.
type answer[T any] struct {
	value   T
	offered bool
	err     error
}

// api reads what the proxy tells beside its metrics page.
type api struct {
	cfg   *Config
	proxy proxy
	now   func() time.Time
	// keyed says that there are credentials.
	keyed bool

	details     *apiclient.Cached[answer[readiness]]
	deployments *apiclient.Cached[answer[*deployments]]
	models      *apiclient.Cached[answer[*modelNames]]
	latest      *apiclient.Cached[answer[[]check]]
	activity    *apiclient.Cached[answer[*activity]]
	// described is the version of the API's description, asked for once in a life of
	// the proxy.
	described *answer[string]
	version   string
	known     *deployments
	// down says that the proxy was dead the last time.
	down bool
}

func newAPI(cfg *Config, p *httpProxy, now func() time.Time) *api {
	a := &api{cfg: cfg, proxy: p, now: now, keyed: cfg.authenticated()}
	a.details = cached(a, p.api, endpointDetails, func(ctx context.Context) (readiness, error) { return a.proxy.details(ctx) })
	a.deployments = cached(a, p.api, endpointDeployment, func(ctx context.Context) (*deployments, error) { return a.proxy.deployments(ctx, cfg.MaxModels) })
	a.models = cached(a, p.api, endpointModels, func(ctx context.Context) (*modelNames, error) { return a.proxy.models(ctx, cfg.MaxModels) })
	a.latest = cached(a, p.api, endpointLatest, func(ctx context.Context) ([]check, error) { return a.proxy.latest(ctx, cfg.MaxModels) })
	a.activity = cached(a, p.api, endpointActivity, func(ctx context.Context) (*activity, error) { return a.proxy.activity(ctx, a.now(), cfg.MaxModels) })
	return a
}

// The API has half of the time of a scrape, and each request half of that: a slow one
// must not take it from the others, nor all of them from the page.
const (
	shareOfAPI     = 2
	shareOfRequest = 4
)

// cached remembers an answer, and that there is none.
func cached[T any](a *api, client *apiclient.Client, endpoint string, fetch func(context.Context) (T, error)) *apiclient.Cached[answer[T]] {
	c := apiclient.NewCached(client, endpoint, a.cfg.API.Interval, func(all context.Context) (answer[T], error) {
		ctx, cancel := context.WithTimeout(all, a.cfg.Timeout/shareOfRequest)
		defer cancel()
		value, err := fetch(ctx)
		switch {
		case err == nil:
			return answer[T]{value: value, offered: true}, nil
		case notOffered(err):
			return answer[T]{}, nil
		case futile(err) && all.Err() == nil:
			return answer[T]{err: err}, nil
		}
		return answer[T]{}, err
	})
	c.Now = a.now
	return c
}

// futile says whether to ask again soon would cost the proxy much and change nothing.
func futile(err error) bool {
	switch reasonOf(err) {
	case apiclient.ReasonTimeout, apiclient.ReasonTooLarge, apiclient.ReasonMalformed, apiclient.ReasonHTML, apiclient.ReasonRedirect, reasonManyRows:
		return true
	}
	return false
}

// notOffered says whether a proxy does not have what it was asked for: an older
// version, no database, no models. Some versions answer so with 500 and an error
// object.
func notOffered(err error) bool {
	var status *apiclient.StatusError
	if !errors.As(err, &status) || expired(status) {
		return false
	}
	switch status.Code {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusUnprocessableEntity,
		http.StatusInternalServerError, http.StatusNotImplemented:
		return true
	}
	return false
}

// expired says whether the proxy refuses an expired key: with 400 instead of 401.
func expired(status *apiclient.StatusError) bool {
	return status.Code == http.StatusBadRequest && (strings.Contains(status.Detail, "Expired Key") || strings.Contains(status.Detail, "expired_key"))
}

// forget makes the next read ask for all again: the proxy restarted.
func (a *api) forget() {
	a.details.Forget()
	a.deployments.Forget()
	a.models.Forget()
	a.latest.Forget()
	a.activity.Forget()
	a.described = nil
}

// read asks for what is due.
func (a *api) read(ctx context.Context) *told {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Timeout/shareOfAPI)
	defer cancel()
	t := &told{version: a.version, deployments: a.known, alive: true}
	if err := a.alive(ctx); err != nil {
		t.trouble(endpointLiveliness, err)
		t.alive = false
	} else if a.down {
		a.forget()
	}
	a.down = !t.alive
	if !a.cfg.API.Enabled || !t.alive {
		return t
	}
	a.readReadiness(ctx, t)
	if a.keyed {
		ask(ctx, t, endpointModels, a.models, func(m *modelNames) { t.models = m })
		ask(ctx, t, endpointDeployment, a.deployments, func(d *deployments) { a.known = d })
		ask(ctx, t, endpointLatest, a.latest, func(c []check) { t.checks = c })
		a.readActivity(ctx, t)
		t.judge()
	}
	a.readVersion(ctx, t)
	t.version, t.deployments = a.version, a.known
	return t
}

func (a *api) alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Timeout/shareOfRequest)
	defer cancel()
	return a.proxy.alive(ctx)
}

func (t *told) trouble(endpoint string, err error) {
	t.troubles = append(t.troubles, trouble{problem{endpoint, reasonOf(err)}, err})
}

// judge tells a key that is refused from one that is good and lacks rights, as it
// should: every key may ask which models it may use.
func (t *told) judge() {
	if slices.ContainsFunc(t.troubles, func(tr trouble) bool { return tr.endpoint == endpointModels && refusal(tr.err) }) {
		return
	}
	t.troubles = slices.DeleteFunc(t.troubles, func(tr trouble) bool {
		if refusal(tr.err) {
			t.lacking = append(t.lacking, tr.endpoint)
		}
		return refusal(tr.err)
	})
}

// ask takes the answer of an endpoint, unless it is refused now.
func ask[T any](ctx context.Context, t *told, endpoint string, c *apiclient.Cached[answer[T]], take func(T)) {
	got, at, err := c.Get(ctx)
	if err = cmp.Or(err, got.err); err != nil {
		t.trouble(endpoint, err)
	}
	if got.offered && !at.IsZero() && !refusal(err) {
		take(got.value)
	}
}

// readReadiness asks the proxy how it is. What it does not tell to everybody it may
// tell to the holder of a key.
func (a *api) readReadiness(ctx context.Context, t *told) {
	limited, cancel := context.WithTimeout(ctx, a.cfg.Timeout/shareOfRequest)
	defer cancel()
	r, err := a.proxy.readiness(limited)
	var status *apiclient.StatusError
	switch {
	case err == nil:
		ready := true
		t.ready, t.readiness = &ready, r
	case errors.As(err, &status) && status.Code == http.StatusServiceUnavailable:
		t.ready = new(bool)
	case !notOffered(err) && !refusal(err):
		t.trouble(endpointReadiness, err)
	}
	if a.keyed && (t.readiness.Version == "" || t.readiness.Cache.kind == "") {
		ask(ctx, t, endpointDetails, a.details, t.readiness.merge)
	}
}

// readActivity takes what the day cost; at midnight it asks for the new day.
func (a *api) readActivity(ctx context.Context, t *told) {
	if got, _, _ := a.activity.Get(ctx); got.offered && got.value.day != a.now().UTC().Format(time.DateOnly) {
		a.activity.Forget()
	}
	ask(ctx, t, endpointActivity, a.activity, func(of *activity) { t.activity = of })
}

// readVersion finds out the version: from what was told already, else once from the
// description of the API.
func (a *api) readVersion(ctx context.Context, t *told) {
	if t.readiness.Version != "" {
		a.version = string(t.readiness.Version)
		return
	}
	if a.described != nil {
		return
	}
	limited, cancel := context.WithTimeout(ctx, a.cfg.Timeout/shareOfRequest)
	defer cancel()
	version, err := a.proxy.version(limited)
	if err != nil && !notOffered(err) && !refusal(err) && (!futile(err) || ctx.Err() != nil) {
		return // try again
	}
	a.described = &answer[string]{value: version}
	if version != "" {
		a.version = version
	}
}
