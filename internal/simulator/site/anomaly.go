package site

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AnomalyKind is something that goes wrong in one place.
type AnomalyKind string

// The kinds of anomalies.
const (
	HotGPU         AnomalyKind = "hot_gpu"
	GPULost        AnomalyKind = "gpu_lost"
	ECCStorm       AnomalyKind = "ecc_storm"
	NVLinkErrors   AnomalyKind = "nvlink_errors"
	ModelDown      AnomalyKind = "model_down"
	ModelStuck     AnomalyKind = "model_stuck"
	SlowModel      AnomalyKind = "slow_model"
	LoadingFailure AnomalyKind = "loading_failure"
	RestartLoop    AnomalyKind = "restart_loop"
	OOM            AnomalyKind = "oom"
	ErrorBurst     AnomalyKind = "error_burst"
	BudgetOverrun  AnomalyKind = "budget_overrun"
	ProxyDown      AnomalyKind = "proxy_down"
	LangfuseBehind AnomalyKind = "langfuse_behind"
	DiskFilling    AnomalyKind = "disk_filling"
	LogFlood       AnomalyKind = "log_flood"
	TokenDrift     AnomalyKind = "token_drift"
)

// Anomaly is one that is going on.
type Anomaly struct {
	ID   int
	Kind AnomalyKind
	// Target is the index of a GPU, the container of a model, or empty.
	Target string
	// Since is when it began, Until when it ends by itself; zero means never.
	Since, Until time.Time

	gpu    *gpu
	engine *engine
	until  time.Duration
}

// targets is what kinds of anomalies are aimed at.
type targets int

const (
	atSite targets = iota
	atGPU
	atModel
)

// anomalyType says what a kind does. A nil function does nothing.
type anomalyType struct {
	kind   AnomalyKind
	about  string
	target targets
	begin  func(*World, *Anomaly)
	step   func(*World, *Anomaly)
	end    func(*World, *Anomaly)
}

// anomalyTypes lists all kinds, in the order in which they are offered.
var anomalyTypes = []anomalyType{
	{kind: HotGPU, target: atGPU, about: "the cooling of a GPU fails: hot, then slowed down", begin: coolingFails, end: coolingWorks},
	{kind: GPULost, target: atGPU, about: "XID 79: a GPU falls off the bus, and its containers with it", begin: gpuLost, end: gpuReturns},
	{kind: ECCStorm, target: atGPU, about: "memory errors of a GPU, corrected ones and some that are not", begin: eccBegins, step: eccErrors},
	{kind: NVLinkErrors, target: atGPU, about: "replays and CRC errors on the links of a GPU, with XID 74", step: linkErrors},
	{kind: ModelDown, target: atModel, about: "the container of a model is stopped", begin: modelDown, end: modelUp},
	{kind: ModelStuck, target: atModel, about: "a server answers, and finishes nothing", begin: modelStuck, end: modelFree},
	{kind: SlowModel, target: atModel, about: "a server needs six times as long"},
	{kind: LoadingFailure, target: atModel, about: "a server is restarted and fails to load its model", begin: loadingFails, end: modelUp},
	{kind: RestartLoop, target: atModel, about: "a container ends soon after each start", begin: restartLoop, end: modelUp},
	{kind: OOM, target: atModel, about: "a server takes ever more memory, until the kernel kills it; it starts again", begin: outOfMemory},
	{kind: ErrorBurst, target: atModel, about: "two of five requests to a model fail"},
	{kind: BudgetOverrun, target: atSite, about: "a team spends more than its budget"},
	{kind: ProxyDown, target: atSite, about: "the proxy is down: nobody can call a model through it", begin: proxyDown, end: proxyUp},
	{kind: LangfuseBehind, target: atSite, about: "Langfuse shows traces two hours late", begin: langfuseBehind, end: langfuseCatchesUp},
	{kind: DiskFilling, target: atSite, about: "the data disk fills up, until somebody makes room", end: diskCleared},
	{kind: LogFlood, target: atModel, about: "a container writes two hundred lines a second"},
	{kind: TokenDrift, target: atModel, about: "the proxy counts a third more tokens than the server"},
}

func anomalyTypeOf(kind AnomalyKind) *anomalyType {
	for i := range anomalyTypes {
		if anomalyTypes[i].kind == kind {
			return &anomalyTypes[i]
		}
	}
	return nil
}

// AnomalyKinds lists all kinds with a sentence on each.
func AnomalyKinds() (kinds []AnomalyKind, about []string) {
	for _, t := range anomalyTypes {
		kinds, about = append(kinds, t.kind), append(about, t.about)
	}
	return kinds, about
}

// Targets lists what an anomaly of a kind can be about; empty for one of the whole site.
func (w *World) Targets(kind AnomalyKind) []string {
	t := anomalyTypeOf(kind)
	if t == nil {
		return nil
	}
	var list []string
	switch t.target {
	case atGPU:
		for i := range w.gpus {
			list = append(list, strconv.Itoa(i))
		}
	case atModel:
		for _, e := range w.engines {
			list = append(list, e.spec.Container)
		}
	default:
	}
	return list
}

// StartAnomaly lets something go wrong. target is the index of a GPU or the container of a model, where the kind has one;
// empty means the first. It lasts for d, or until it is ended if d is 0.
func (w *World) StartAnomaly(kind AnomalyKind, target string, d time.Duration) (Anomaly, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := anomalyTypeOf(kind)
	if t == nil {
		kinds, _ := AnomalyKinds()
		return Anomaly{}, fmt.Errorf("there is no anomaly %q: the kinds are %s", kind, strings.Trim(fmt.Sprint(kinds), "[]"))
	}
	if d < 0 {
		return Anomaly{}, fmt.Errorf("an anomaly cannot last for %s: leave the duration out for one without an end", d)
	}
	a := &Anomaly{Kind: kind, Since: w.clock.Now()}
	if err := w.aim(a, t.target, target); err != nil {
		return Anomaly{}, err
	}
	for _, other := range w.effects.anomalies {
		if other.Kind == kind && other.Target == a.Target {
			return Anomaly{}, fmt.Errorf("%s of %q is going on already, as number %d", kind, a.Target, other.ID)
		}
	}
	w.effects.ids++
	a.ID = w.effects.ids
	if d > 0 {
		a.until = w.now + d
		a.Until = a.Since.Add(d)
	}
	w.effects.anomalies = append(w.effects.anomalies, a)
	if t.begin != nil {
		t.begin(w, a)
	}
	return *a, nil
}

// aim finds what the anomaly is about.
func (w *World) aim(a *Anomaly, at targets, target string) error {
	switch {
	case at == atGPU:
		index := 0
		if target != "" {
			var err error
			if index, err = strconv.Atoi(target); err != nil || index < 0 || index >= len(w.gpus) {
				return fmt.Errorf("the target of %s must be the index of a GPU, from 0 to %d, not %q", a.Kind, len(w.gpus)-1, target)
			}
		}
		if len(w.gpus) == 0 {
			return fmt.Errorf("%s needs a GPU, and this site has none", a.Kind)
		}
		a.gpu, a.Target = w.gpus[index], strconv.Itoa(index)
	case at == atModel:
		i := slices.IndexFunc(w.engines, func(e *engine) bool {
			return target == "" || target == e.spec.Container || target == e.spec.Served || target == e.spec.Public
		})
		if i < 0 {
			return fmt.Errorf("the target of %s must be the container of a model, such as %q, not %q", a.Kind, w.engines[0].spec.Container, target)
		}
		a.engine, a.Target = w.engines[i], w.engines[i].spec.Container
	case target != "":
		return fmt.Errorf("%s has no target", a.Kind)
	}
	return nil
}

// EndAnomaly ends one by its number; false if there is none.
func (w *World) EndAnomaly(id int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, a := range w.effects.anomalies {
		if a.ID == id {
			w.effects.end(w, a)
			return true
		}
	}
	return false
}

// Anomalies are those that are going on, the oldest first.
func (w *World) Anomalies() []Anomaly {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]Anomaly, 0, len(w.effects.anomalies))
	for _, a := range w.effects.anomalies {
		list = append(list, *a)
	}
	return list
}

func (e *effects) end(w *World, a *Anomaly) {
	e.anomalies = slices.DeleteFunc(e.anomalies, func(other *Anomaly) bool { return other == a })
	if t := anomalyTypeOf(a.Kind); t.end != nil {
		t.end(w, a)
	}
}

// step lets the anomalies go on, and ends those whose time is over.
func (e *effects) step(w *World) {
	for _, a := range slices.Clone(e.anomalies) {
		if a.until > 0 && w.now >= a.until {
			e.end(w, a)
		} else if t := anomalyTypeOf(a.Kind); t.step != nil {
			t.step(w, a)
		}
	}
}

// on says whether an anomaly of that kind is going on at a server; nil asks for the site.
func (e *effects) on(kind AnomalyKind, at *engine) bool {
	return slices.ContainsFunc(e.anomalies, func(a *Anomaly) bool { return a.Kind == kind && a.engine == at })
}
