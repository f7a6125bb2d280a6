package syntheticreceiver

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

// maxBody is how much of a request is read.
const maxBody = 64 << 10

//go:embed control.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// control is the API that switches scenario and anomalies:
//
//	GET    /scenario         {"scenario": "normal", "scenarios": [...]}
//	PUT    /scenario         {"scenario": "degraded"}
//	GET    /anomalies        {"anomalies": [...], "kinds": [...]}
//	POST   /anomalies        {"kind": "hot_gpu", "target": "3", "duration": "10m"}
//	DELETE /anomalies/{id}
//	DELETE /anomalies        ends all
//	GET    /                 a page that does the same
type control struct {
	world   *site.World
	token   string
	address string
	server  *http.Server
	served  chan struct{}
}

func startControl(ctx context.Context, cfg *ControlConfig, host component.Host, set receiver.Settings, world *site.World) (*control, error) {
	c := &control{world: world, token: string(cfg.Token), served: make(chan struct{})}
	listener, err := cfg.ToListener(ctx)
	if err != nil {
		return nil, fmt.Errorf(`the control API cannot listen: %w; set "control::endpoint" to another address`, err)
	}
	if c.server, err = cfg.ToServer(ctx, host, set.TelemetrySettings, c.handler()); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	c.address = listener.Addr().String()
	go func() {
		defer close(c.served)
		_ = c.server.Serve(listener)
	}()
	return c, nil
}

func (c *control) shutdown(ctx context.Context) error {
	err := c.server.Shutdown(ctx)
	<-c.served
	return err
}

func (c *control) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.page)
	mux.HandleFunc("GET /scenario", c.scenario)
	mux.HandleFunc("PUT /scenario", c.setScenario)
	mux.HandleFunc("GET /anomalies", c.anomalies)
	mux.HandleFunc("POST /anomalies", c.startAnomaly)
	mux.HandleFunc("DELETE /anomalies", c.endAnomalies)
	mux.HandleFunc("DELETE /anomalies/{id}", c.endAnomaly)
	return guarded(c.token, mux)
}

type (
	scenarioState struct {
		Scenario  site.Scenario   `json:"scenario"`
		Scenarios []site.Scenario `json:"scenarios,omitempty"`
	}
	anomalyState struct {
		ID     int              `json:"id"`
		Kind   site.AnomalyKind `json:"kind"`
		Target string           `json:"target,omitempty"`
		Since  time.Time        `json:"since"`
		Until  *time.Time       `json:"until,omitempty"`
	}
	kindState struct {
		Kind    site.AnomalyKind `json:"kind"`
		About   string           `json:"about"`
		Targets []string         `json:"targets,omitempty"`
	}
)

func (c *control) scenario(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, scenarioState{c.world.Scenario(), site.Scenarios()})
}

func (c *control) setScenario(w http.ResponseWriter, r *http.Request) {
	var wanted scenarioState
	if !read(w, r, &wanted) {
		return
	}
	s, err := site.ParseScenario(string(wanted.Scenario))
	if err != nil {
		answer(w, http.StatusBadRequest, problem(err.Error()))
		return
	}
	c.world.SetScenario(s)
	answer(w, http.StatusOK, scenarioState{Scenario: s})
}

func (c *control) anomalies(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"anomalies": c.present(), "kinds": c.kinds()})
}

func (c *control) kinds() []kindState {
	names, about := site.AnomalyKinds()
	list := make([]kindState, len(names))
	for i := range names {
		list[i] = kindState{names[i], about[i], c.world.Targets(names[i])}
	}
	return list
}

func (c *control) present() []anomalyState {
	list := []anomalyState{}
	for _, a := range c.world.Anomalies() {
		list = append(list, stateOf(a))
	}
	return list
}

func stateOf(a site.Anomaly) anomalyState {
	s := anomalyState{ID: a.ID, Kind: a.Kind, Target: a.Target, Since: a.Since}
	if !a.Until.IsZero() {
		s.Until = &a.Until
	}
	return s
}

func (c *control) startAnomaly(w http.ResponseWriter, r *http.Request) {
	var wanted struct {
		Kind     site.AnomalyKind `json:"kind"`
		Target   string           `json:"target"`
		Duration string           `json:"duration"`
	}
	if !read(w, r, &wanted) {
		return
	}
	d := time.Duration(0)
	if wanted.Duration != "" {
		var err error
		if d, err = time.ParseDuration(wanted.Duration); err != nil {
			answer(w, http.StatusBadRequest, problem(`"duration" must be one with a unit, such as "10m"`))
			return
		}
	}
	a, err := c.world.StartAnomaly(wanted.Kind, wanted.Target, d)
	if err != nil {
		answer(w, http.StatusBadRequest, problem(err.Error()))
		return
	}
	answer(w, http.StatusCreated, stateOf(a))
}

func (c *control) endAnomaly(w http.ResponseWriter, r *http.Request) {
	id, err := strconv.Atoi(r.PathValue("id"))
	if err != nil || !c.world.EndAnomaly(id) {
		answer(w, http.StatusNotFound, problem("there is no anomaly of that number: GET /anomalies lists them"))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (c *control) endAnomalies(w http.ResponseWriter, _ *http.Request) {
	for _, a := range c.world.Anomalies() {
		c.world.EndAnomaly(a.ID)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (c *control) page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'")
	var scenarios []map[string]string
	for _, s := range site.Scenarios() {
		scenarios = append(scenarios, map[string]string{"Name": string(s), "About": s.About()})
	}
	_ = pageTemplate.Execute(w, map[string]any{"Scenarios": scenarios, "Kinds": c.kinds()})
}

func problem(text string) map[string]string { return map[string]string{"error": text} }

// read reads a JSON request, and answers itself if it cannot.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(io.LimitReader(r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	var wrong *json.UnmarshalTypeError
	switch {
	case err == nil:
		return true
	case errors.As(err, &wrong) && wrong.Field != "":
		answer(w, http.StatusBadRequest, problem(fmt.Sprintf("%q must be a text in quotes, not a %s", wrong.Field, wrong.Value)))
	default:
		answer(w, http.StatusBadRequest, problem(`the request must be a JSON object, such as {"scenario": "normal"}: `+strings.TrimPrefix(err.Error(), "json: ")))
	}
	return false
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
