package simulator

import "time"

// liteWorker has the numbers of one process: series of each family by their labels.
type liteWorker struct {
	pid      int
	started  time.Time
	families []liteSeries
}

type liteSeries struct {
	order []*series
	index map[string]*series
}

// newWorker starts a process. What has no labels is there from the beginning.
func (l *LiteLLM) newWorker(started time.Time) *liteWorker {
	l.pids++
	w := &liteWorker{pid: 6 + l.pids, started: started, families: make([]liteSeries, len(l.families))}
	for i := range l.families {
		w.families[i].index = make(map[string]*series)
		if f := &l.families[i]; len(f.labels) == 0 && f.kind != kindHistogram {
			l.at(w, f.key, nil)
		}
	}
	return w
}

// at returns the series of a family with the values of its labels, or nil if the dialect does not have the family. A value
// that is missing is "None", as Python writes it.
func (l *LiteLLM) at(w *liteWorker, key string, values map[string]string) *series {
	i, ok := l.byKey[key]
	if !ok {
		return nil
	}
	f, all := &l.families[i], &w.families[i]
	value := func(name string) string {
		if v, ok := values[name]; ok {
			return v
		}
		return "None"
	}
	id := make([]byte, 0, 256) // on the stack, for the usual labels
	for _, name := range f.labels {
		id = append(append(id, value(name)...), 0)
	}
	s := all.index[string(id)]
	if s == nil {
		s = &series{created: l.cfg.Now()}
		for _, name := range f.labels {
			s.labels = append(s.labels, label{name, value(name)})
		}
		if f.kind == kindHistogram {
			s.hist = newHistogram(f.bounds)
		}
		all.index[string(id)] = s
		all.order = append(all.order, s)
	}
	return s
}

// add adds to a counter of a worker.
func (l *LiteLLM) add(w *liteWorker, key string, n float64, values map[string]string) {
	if s := l.at(w, key, values); s != nil {
		s.value += n
	}
}

// observe adds to a histogram of a worker.
func (l *LiteLLM) observe(w *liteWorker, key string, d time.Duration, values map[string]string) {
	if s := l.at(w, key, values); s != nil {
		s.hist.observe(d.Seconds(), 1)
	}
}

// set sets a gauge of a worker.
func (l *LiteLLM) set(w *liteWorker, key string, v float64, values map[string]string) {
	if s := l.at(w, key, values); s != nil {
		s.value = v
	}
}

// setAll sets a gauge of every worker.
func (l *LiteLLM) setAll(key string, v float64, values map[string]string) {
	for _, w := range l.workers {
		l.set(w, key, v, values)
	}
}

// labels are those of a deployment, under all the names that families have for them.
func (d *LiteLLMDeployment) labels() map[string]string {
	return map[string]string{
		"litellm_model_name": d.Served(), "model_id": d.ID, "api_base": d.APIBase, "api_provider": d.Provider(), "model_group": d.Name,
		"model": d.Served(), "requested_model": d.Name,
	}
}
