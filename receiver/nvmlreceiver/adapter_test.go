//go:build linux && cgo

package nvmlreceiver

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/internal/nvml/nvmltest"
)

// TestRealAdapter runs the scraper on the real go-nvml over a driver built from
// C. A process can only ever load one, so that each case is a child of its own.
func TestRealAdapter(t *testing.T) {
	const child = "NVMLRECEIVER_TEST_CASE"
	cases := map[string]struct {
		options []nvmltest.Option
		run     func(*testing.T, *probe, *nvmltest.Driver)
	}{
		"newest": {nil, func(t *testing.T, p *probe, d *nvmltest.Driver) {
			t.Helper()
			p.pids[4242] = workload{container: "chat", model: "qwen"}
			d.Set(t, "load@0", "process 0 compute 4242 1073741824", "usage 0 4242 1000000 0 0 0 0")
			p.read()
			time.Sleep(120 * time.Millisecond) // GPM wants a window
			d.Set(t, "load@0", "process 0 compute 4242 1073741824", "usage 0 4242 2000000 60 10 0 0")
			got := readingsOf(t, p.raw())
			assert.InDelta(t, 1, got.value(t, " nvml.up"), 0)
			assert.InDelta(t, 2, got.value(t, " hw.gpu.count"), 0)
			gpus := ofGPUs(got)
			require.Len(t, gpus, 2)
			chat := "{container.name=chat,gen_ai.request.model=qwen}"
			found := 0
			for _, gpu := range gpus {
				assert.Equal(t, "ok", got.state(t, gpu+" hw.status"))
				assert.True(t, got.has(gpu+" hw.power"))
				assert.True(t, got.has(gpu+" hw.gpu.sm.activity"))
				assert.True(t, got.has(gpu+" hw.gpu.nvlink.io"))
				assert.True(t, got.has(gpu+" hw.temperature.limit{hw.limit_type=high.critical}"))
				if got.has(gpu + " hw.gpu.container.utilization" + chat) {
					found++
					assert.InDelta(t, 0.6, got.value(t, gpu+" hw.gpu.container.utilization"+chat), 1e-9)
					assert.InDelta(t, 1<<30, got.value(t, gpu+" hw.gpu.container.memory.usage"+chat), 0)
				}
			}
			assert.Equal(t, 1, found)
			assert.False(t, got.has(" hw.gpu.scrape.errors"))
		}},
		"old": {[]nvmltest.Option{nvmltest.Without(nvmltest.Driver535()...)}, func(t *testing.T, p *probe, _ *nvmltest.Driver) {
			t.Helper()
			p.read()
			got := p.read()
			assert.InDelta(t, 1, got.value(t, " nvml.up"), 0)
			for _, gpu := range ofGPUs(got) {
				assert.Equal(t, "ok", got.state(t, gpu+" hw.status"))
				assert.True(t, got.has(gpu+" hw.power"))
				assert.False(t, got.has(gpu+" hw.gpu.temperature.margin"))
				assert.False(t, got.has(gpu+" hw.gpu.utilization{hw.gpu.task=jpeg}"))
				assert.True(t, got.has(gpu+" hw.gpu.utilization{hw.gpu.task=encoder}"))
				assert.False(t, got.has(gpu+" hw.gpu.scrape.errors"), "a function that is missing is no error")
			}
		}},
		"loses_a_gpu": {nil, func(t *testing.T, p *probe, d *nvmltest.Driver) {
			t.Helper()
			gpus := ofGPUs(p.read())
			d.Set(t, "lost 1 5")
			p.read()
			got := p.read()
			states := []string{got.state(t, gpus[0]+" hw.status"), got.state(t, gpus[1]+" hw.status")}
			assert.ElementsMatch(t, []string{"ok", "failed"}, states)
			d.Set(t)
			p.clock.advance(time.Minute)
			got = p.read()
			assert.Equal(t, "ok", got.state(t, gpus[0]+" hw.status"))
			assert.Equal(t, "ok", got.state(t, gpus[1]+" hw.status"))
		}},
		"hangs": {nil, func(t *testing.T, p *probe, d *nvmltest.Driver) {
			t.Helper()
			gpus := ofGPUs(p.read())
			d.Set(t, "hang nvmlDeviceGetTotalEnergyConsumption@0")
			p.timeout = 300 * time.Millisecond
			got := p.read()
			alive := 0
			for _, gpu := range gpus {
				alive += int(boolean(got.has(gpu + " hw.power")))
			}
			assert.Equal(t, 1, alive, "the other GPU is read")
			d.Set(t)
			p.timeout = 5 * time.Second
			require.Eventually(t, func() bool { return p.read().has(gpus[0] + " hw.power") }, 5*time.Second, 10*time.Millisecond)
		}},
		"reloaded": {nil, func(t *testing.T, p *probe, d *nvmltest.Driver) {
			t.Helper()
			gpus := ofGPUs(p.read())
			d.Set(t, "fail all 9", "init 9")
			got := p.read()
			assert.InDelta(t, 0, got.value(t, " nvml.up"), 0)
			assert.True(t, got.has(gpus[0]+" hw.gpu.info"))
			d.Set(t)
			p.clock.advance(time.Minute)
			assert.Equal(t, "ok", p.read().state(t, gpus[0]+" hw.status"))
		}},
		"mig": {nil, func(t *testing.T, p *probe, d *nvmltest.Driver) {
			t.Helper()
			d.Set(t, "mig 0")
			got := p.read()
			migs := 0
			for series := range got {
				if strings.HasPrefix(series, "MIG-") && strings.HasSuffix(series, " hw.gpu.memory.usage") {
					migs++
				}
			}
			assert.Equal(t, 4, migs, "once for each GPU instance: 2, 3, 9 and 10")
		}},
		"xid": {nil, func(t *testing.T, p *probe, d *nvmltest.Driver) {
			t.Helper()
			p.read()
			p.await(1)
			d.Set(t, "event 1 1 8 79")
			assert.Equal(t, "hw.gpu.xid", p.await(1)[0].EventName())
			got := p.read()
			total := 0
			for _, gpu := range ofGPUs(got) {
				total += int(boolean(got.has(gpu + " hw.gpu.xid.events{hw.gpu.xid=79")))
			}
			assert.Equal(t, 1, total)
		}},
	}
	if name := os.Getenv(child); name != "" {
		d := nvmltest.Build(t, cases[name].options...)
		p := probeOf(t, newClock(), nvml.New(nvml.WithLibraryPath(d.Path)))
		cases[name].run(t, p, d)
		return
	}
	for name := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestRealAdapter$", "-test.count=1", "-test.timeout=60s")
			cmd.Env = append(os.Environ(), child+"="+name)
			out, err := cmd.CombinedOutput()
			assert.NoError(t, err, string(out))
		})
	}
}

// ofGPUs are the devices in readings that tell their power limit, in the order of
// their UUIDs.
func ofGPUs(r readings) []string {
	var gpus []string
	for series := range r {
		if gpu, ok := strings.CutSuffix(series, " hw.gpu.mig.enabled"); ok {
			gpus = append(gpus, gpu)
		}
	}
	return sorted(gpus)
}
