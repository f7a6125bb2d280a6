package simulator

// Page renders /metrics as it is now.
func (v *VLLM) Page() []byte {
	v.mu.Lock()
	defer v.mu.Unlock()
	p := page{withoutCreated: v.dialect.v0 || v.cfg.MultiProcess || v.cfg.Ray != RayOff}
	if v.cfg.MultiProcess {
		p.help = "Multiprocess metric"
	}
	if !v.cfg.MultiProcess && v.cfg.Ray == RayOff {
		v.writeProcess(&p)
	}
	if !v.cfg.DisableLogStats {
		for _, f := range v.offered {
			p.family(v.prefix()+f.name, f.kind, f.help, v.seriesOf(f))
		}
	}
	if v.dialect.instrumented && v.cfg.Ray == RayOff {
		v.http.write(&p, v.started)
	}
	p.WriteString(v.cfg.Extra)
	return p.Bytes()
}

func (v *VLLM) prefix() string {
	return [...]string{"vllm:", "ray_vllm:", "ray_vllm_"}[v.cfg.Ray]
}

// seriesOf lists what a family has: for each value of its own label one series per engine, as far as they exist.
func (v *VLLM) seriesOf(f family) []series {
	if f.samples != nil {
		all := f.samples(v)
		for i := range all {
			all[i].labels = append(all[i].labels, v.rayLabels()...)
		}
		return all
	}
	var all []series
	for _, value := range f.labelValues(v) {
		for rank, e := range v.engines {
			s := series{labels: v.labels(rank), created: v.started}
			if f.label != "" {
				s.labels = append(s.labels, label{f.label, value})
			}
			var exists bool
			if f.kind == kindHistogram {
				s.hist = e.hists[f.name]
				exists = s.hist != nil
			} else {
				s.value, exists = e.scalars[seriesKey{f.name, value}]
			}
			if exists {
				all = append(all, s)
			}
		}
	}
	return all
}

func (v *VLLM) labels(rank int) []label {
	labels := []label{{"model_name", v.cfg.Models[0].ID}}
	if v.dialect.engineLabel {
		labels = append(labels, label{"engine", itoa(rank)})
	}
	return append(labels, v.rayLabels()...)
}

// rayLabels are what Ray adds; Version is Ray's own.
func (v *VLLM) rayLabels() []label {
	if v.cfg.Ray == RayOff {
		return nil
	}
	return []label{
		{"NodeAddress", "10.0.0.7"},
		{"SessionName", "session_2026-01-01_00-00-00_000000_1"},
		{"Version", "2.49.0"},
		{"WorkerId", "0a1b2c3d4e5f60718293a4b5c6d7e8f90011223344556677"},
	}
}

// writeProcess writes the collectors that prometheus_client registers by itself: of the Python process, not of the engine.
func (v *VLLM) writeProcess(p *page) {
	uptime := seconds(v.cfg.Now().Sub(v.started))
	quiet := &page{withoutCreated: true}
	generations := func(x0, x1, x2 float64) []series {
		return []series{
			{labels: []label{{"generation", "0"}}, value: x0},
			{labels: []label{{"generation", "1"}}, value: x1},
			{labels: []label{{"generation", "2"}}, value: x2},
		}
	}
	single := func(x float64) []series { return []series{{value: x}} }
	major, minor, patch := v.dialect.python[0], v.dialect.python[1], v.dialect.python[2]
	quiet.family("python_gc_objects_collected", kindCounter, "Objects the garbage collector freed.", generations(62000, 9400, 810))
	quiet.family("python_gc_objects_uncollectable", kindCounter, "Objects it could not free.", generations(0, 0, 0))
	quiet.family("python_gc_collections", kindCounter, "Runs of the garbage collector.", generations(2900, 260, 12))
	quiet.family("python_info", kindGauge, "The Python interpreter.", []series{{labels: []label{
		{"implementation", "CPython"}, {"major", major}, {"minor", minor}, {"patchlevel", patch}, {"version", major + "." + minor + "." + patch},
	}, value: 1}})
	quiet.family("process_virtual_memory_bytes", kindGauge, "Virtual memory.", single(35915956224))
	quiet.family("process_resident_memory_bytes", kindGauge, "Resident memory.", single(1793798144))
	quiet.family("process_start_time_seconds", kindGauge, "Start of the process, Unix time.", single(unix(v.started)))
	quiet.family("process_cpu_seconds", kindCounter, "CPU time.", single(28+uptime*0.05))
	quiet.family("process_open_fds", kindGauge, "Open files.", single(55))
	quiet.family("process_max_fds", kindGauge, "Most files that may be open.", single(1048576))
	p.Write(quiet.Bytes())
}
