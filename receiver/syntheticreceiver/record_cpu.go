package syntheticreceiver

import (
	"slices"
	"strconv"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator/site"
)

// states are the times of a core by the name of the state.
func states(c *site.CoreTimes) []struct {
	name  string
	value float64
} {
	return []struct {
		name  string
		value float64
	}{
		{"user", c.User},
		{"system", c.System},
		{"idle", c.Idle},
		{"interrupt", c.Interrupt},
		{"nice", c.Nice},
		{"softirq", c.SoftIRQ},
		{"steal", c.Steal},
		{"wait", c.Wait},
	}
}

func (r *hostRecorder) cpu(s *scopeRecorder, h *site.Host) {
	s.level("system.cpu.logical.count", "{cpu}", "Number of available logical CPUs.").count(int64(len(h.Cores)))
	times := s.counter("system.cpu.time", "s", "Total seconds each logical CPU spent on each mode.")
	for i := range h.Cores {
		for _, state := range states(&h.Cores[i]) {
			times.value(state.value, "cpu", "cpu"+strconv.Itoa(i), "state", state.name)
		}
	}
	if len(r.before) == len(h.Cores) {
		r.utilization(s, h)
	}
	r.before = slices.Clone(h.Cores)
}

// utilization is the share of each state since the last record: there is none the
// first time.
func (r *hostRecorder) utilization(s *scopeRecorder, h *site.Host) {
	shares := s.gauge("system.cpu.utilization", "1", "Difference in system.cpu.time since the last measurement per logical CPU, divided by the elapsed time (value in interval [0,1]).")
	for i := range h.Cores {
		now, before := states(&h.Cores[i]), states(&r.before[i])
		elapsed := 0.0
		for j := range now {
			elapsed += now[j].value - before[j].value
		}
		for j := range now {
			share := 0.0
			if elapsed > 0 {
				share = (now[j].value - before[j].value) / elapsed
			}
			shares.value(share, "cpu", "cpu"+strconv.Itoa(i), "state", now[j].name)
		}
	}
}

func recordLoad(s *scopeRecorder, h *site.Host) {
	for i, window := range []string{"1m", "5m", "15m"} {
		s.gauge("system.cpu.load_average."+window, "{thread}", "Average CPU Load over "+window[:len(window)-1]+" minutes.").value(h.Load[i])
	}
}

func recordProcesses(s *scopeRecorder, h *site.Host) {
	count := s.level("system.processes.count", "{processes}", "Total number of processes in each state.")
	for _, state := range []struct {
		name  string
		value int64
	}{
		{"running", h.Running},
		{"sleeping", h.Sleeping},
		{"blocked", h.Blocked},
		{"zombies", h.Zombies},
		{"daemon", 0},
		{"detached", 0},
		{"idle", 180},
		{"locked", 0},
		{"orphan", 0},
		{"paging", 0},
		{"stopped", 0},
		{"system", 0},
		{"unknown", 0},
	} {
		count.count(state.value, "status", state.name)
	}
	s.counter("system.processes.created", "{processes}", "Total number of created processes.").count(h.Created)
}
