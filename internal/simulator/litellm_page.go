package simulator

import (
	"slices"
	"strings"
)

// Page renders /metrics as the next worker would.
func (l *LiteLLM) Page() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	p := page{withoutCreated: l.cfg.MultiProcess}
	if l.cfg.MultiProcess {
		p.help = "Multiprocess metric"
		for i := range l.families {
			if all := l.together(i); len(all) > 0 { // files have no families, only series
				p.family(l.families[i].name, l.families[i].kind, "", all)
			}
		}
		p.WriteString(l.cfg.Extra)
		return p.Bytes()
	}
	w := l.workers[l.turn%len(l.workers)]
	l.turn++
	writePython(&p, w, l.cfg.Now().Sub(w.started).Seconds())
	for i, f := range l.families {
		all := make([]series, 0, len(w.families[i].order))
		for _, s := range w.families[i].order {
			all = append(all, *s)
		}
		p.family(f.name, f.kind, f.help, all)
	}
	p.WriteString(l.cfg.Extra)
	return p.Bytes()
}

// together is a family of all workers: counters and histograms added up, gauges with the pid of each.
func (l *LiteLLM) together(family int) []series {
	var all []series
	f := &l.families[family]
	index := make(map[string]int)
	for i, w := range slices.Concat(l.gone, l.workers) {
		gone := i < len(l.gone)
		if f.kind == kindGauge && gone && (f.live || l.cfg.Version.has(LiteLLM1_82_0)) {
			continue
		}
		for _, s := range w.families[family].order {
			one := series{labels: s.labels}
			if f.kind == kindGauge && !f.live {
				one.labels = append(slices.Clone(s.labels), label{"pid", itoa(w.pid)})
			}
			var id strings.Builder
			for _, l := range one.labels {
				id.WriteString(l.value + "\x00")
			}
			at, ok := index[id.String()]
			if !ok {
				at = len(all)
				index[id.String()] = at
				if s.hist != nil {
					one.hist = newHistogram(s.hist.bounds)
				}
				all = append(all, one)
			}
			all[at].add(s)
		}
	}
	return all
}

// add adds another series of the same kind.
func (s *series) add(more *series) {
	s.value += more.value
	if s.hist != nil {
		s.hist.sum += more.hist.sum
		for i, n := range more.hist.counts {
			s.hist.counts[i] += n
		}
	}
}

// writePython is what the client library says of the process.
func writePython(p *page, w *liteWorker, up float64) {
	quiet := &page{withoutCreated: true}
	generations := func(first, second, third float64) []series {
		return []series{
			{labels: []label{{"generation", "0"}}, value: first},
			{labels: []label{{"generation", "1"}}, value: second},
			{labels: []label{{"generation", "2"}}, value: third},
		}
	}
	single := func(v float64) []series { return []series{{value: v}} }
	quiet.family("python_gc_objects_collected", kindCounter, "Objects the garbage collector freed.", generations(3700, 920, 310))
	quiet.family("python_gc_objects_uncollectable", kindCounter, "Objects it could not free.", generations(0, 0, 0))
	quiet.family("python_gc_collections", kindCounter, "Runs of the garbage collector.", generations(770, 70, 6))
	quiet.family("python_info", kindGauge, "The Python interpreter.", []series{{labels: []label{
		{"implementation", "CPython"}, {"major", "3"}, {"minor", "13"}, {"patchlevel", "12"}, {"version", "3.13.12"},
	}, value: 1}})
	quiet.family("process_virtual_memory_bytes", kindGauge, "Virtual memory.", single(1254256640))
	quiet.family("process_resident_memory_bytes", kindGauge, "Resident memory.", single(849711104))
	quiet.family("process_start_time_seconds", kindGauge, "Start of the process, Unix time.", single(unix(w.started)))
	quiet.family("process_cpu_seconds", kindCounter, "CPU time.", single(12+0.02*max(up, 0)))
	quiet.family("process_open_fds", kindGauge, "Open files.", single(18))
	quiet.family("process_max_fds", kindGauge, "Most files that may be open.", single(1024))
	p.Write(quiet.Bytes())
}
