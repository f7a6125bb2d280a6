package nvmlreceiver

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

const gib = 1 << 30

func TestSplit(t *testing.T) {
	tests := []struct {
		name   string
		claims []claim
		want   []float64
	}{
		{"nobody", nil, []float64{}},
		{"alone at work", []claim{{0.6, 90 * gib}}, []float64{1}},
		{"alone idle", []claim{{0, 90 * gib}}, []float64{1}},
		{"idle", []claim{{0, 90 * gib}, {0, 30 * gib}}, []float64{0.75, 0.25}},
		{"some time", []claim{{0.6, 90 * gib}, {0.15, 30 * gib}}, []float64{0.7875, 0.2125}},
		{"all the time", []claim{{0.6, 90 * gib}, {0.4, 30 * gib}}, []float64{0.6, 0.4}},
		{"more than there is", []claim{{0.9, 90 * gib}, {0.6, 30 * gib}}, []float64{0.6, 0.4}},
		{"memory not known", []claim{{0, 0}, {0.5, 0}}, []float64{0.25, 0.75}},
		{"memory of one not known", []claim{{0, 0}, {0.5, gib}}, []float64{0, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := split(tt.claims)
			require.Len(t, got, len(tt.want))
			sum := 0.0
			for i := range got {
				assert.InDelta(t, tt.want[i], got[i], 1e-12)
				sum += got[i]
			}
			if len(got) > 0 {
				assert.InDelta(t, 1, sum, 1e-12)
			}
		})
	}
}

// TestSharingGuide plays the example worked by hand in docs/gpu-sharing.md, and
// checks the receiver against the tables there.
func TestSharingGuide(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "gpu-sharing.md"))
	require.NoError(t, err)
	rows := regexp.MustCompile(`(?m)^\| (GPU \d) \| (\S+) \| ([\d.]+) \| ([\d.]+) GiB \| ([\d.]+) \|$`).FindAllStringSubmatch(string(guide), -1)
	require.Len(t, rows, 5, "the example has five rows")

	p := newProbe(t, 2)
	want := map[string]float64{}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		require.NoError(t, err)
		return v
	}
	for i, row := range rows {
		gpu := strings.TrimPrefix(row[1], "GPU ")
		pid := uint32(100 + i)
		p.pids[pid] = workload{container: row[2], model: "model-of-" + row[2]}
		index, err := strconv.Atoi(gpu)
		require.NoError(t, err)
		p.sim.GPU(index).Set(func(s *simulator.GPUState) {
			s.Processes = append(s.Processes, simulator.GPUProcess{PID: pid, SM: number(row[3]), Memory: uint64(number(row[4]) * gib)})
		})
		want[gpu+" llm.model.gpu{container.name="+row[2]+",gen_ai.request.model=model-of-"+row[2]+"}"] = number(row[5])
	}
	p.sim.GPU(0).Set(func(s *simulator.GPUState) { s.Power = 400 })
	p.sim.GPU(1).Set(func(s *simulator.GPUState) { s.Power = 600 })
	p.read()
	got := p.read()
	watts := map[string]float64{}
	for series, share := range want {
		assert.InDelta(t, share, got.value(t, series), 1e-9, series)
		_, model, _ := strings.Cut(strings.TrimSuffix(series, "}"), "gen_ai.request.model=model-of-")
		watts[model] += got.value(t, series) * got.value(t, series[:1]+" hw.power")
	}
	for model, w := range watts {
		assert.Contains(t, string(guide), "| "+model+" | "+strconv.FormatFloat(math.Round(w*1e6)/1e6, 'f', -1, 64)+" W |")
	}
}
