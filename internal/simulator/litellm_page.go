package simulator

import "strings"

// Page renders /metrics as the next worker would.
func (l *LiteLLM) Page() []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.page()
}

func (l *LiteLLM) page() []byte {
	p := page{withoutCreated: l.cfg.MultiProcess}
	if l.cfg.MultiProcess {
		p.help = "Multiprocess metric"
		for _, f := range l.families {
			p.family(f.name, f.kind, f.help, l.together(&f))
		}
		return p.Bytes()
	}
	w := l.workers[l.turn%len(l.workers)]
	l.turn++
	writePython(&p, w, l.cfg.Now().Sub(w.started).Seconds())
	for _, f := range l.families {
		all := make([]series, 0, len(w.series[f.key].order))
		for _, s := range w.series[f.key].order {
			all = append(all, *s)
		}
		p.family(f.name, f.kind, f.help, all)
	}
	return p.Bytes()
}

// together is a family of all workers: counters and histograms added up, gauges with the pid of each.
func (l *LiteLLM) together(f *liteFamily) []series {
	var all []series
	index := make(map[string]int)
	for _, w := range l.workers {
		for _, s := range w.series[f.key].order {
			if f.kind == kindGauge {
				one := *s
				one.labels = append(one.labels[:len(one.labels):len(one.labels)], label{"pid", itoa(w.pid)})
				all = append(all, one)
				continue
			}
			var key strings.Builder
			for _, l := range s.labels {
				key.WriteString(l.value + "\x00")
			}
			i, ok := index[key.String()]
			if !ok {
				i = len(all)
				index[key.String()] = i
				sum := series{labels: s.labels}
				if s.hist != nil {
					sum.hist = newHistogram(s.hist.bounds)
				}
				all = append(all, sum)
			}
			all[i].value += s.value
			if s.hist != nil {
				all[i].hist.sum += s.hist.sum
				for j, n := range s.hist.counts {
					all[i].hist.counts[j] += n
				}
			}
		}
	}
	return all
}

// writePython is what the client library says of the process.
func writePython(p *page, w *liteWorker, up float64) {
	generation := func(g string, v float64) series { return series{labels: []label{{"generation", g}}, value: v} }
	p.withoutCreated = true
	p.family("python_gc_objects_collected", kindCounter, "Objects collected during gc", []series{generation("0", 3738), generation("1", 921), generation("2", 310)})
	p.family("python_info", kindGauge, "Python platform information", []series{{labels: []label{
		{"implementation", "CPython"}, {"major", "3"}, {"minor", "13"}, {"patchlevel", "12"}, {"version", "3.13.12"},
	}, value: 1}})
	p.family("process_resident_memory_bytes", kindGauge, "Resident memory size in bytes.", []series{{value: 849711104}})
	p.family("process_start_time_seconds", kindGauge, "Start time of the process since unix epoch in seconds.", []series{{value: unix(w.started)}})
	p.family("process_cpu_seconds", kindCounter, "Total user and system CPU time spent in seconds.", []series{{value: 11.96 + 0.02*up}})
	p.withoutCreated = false
}
