//go:build linux && cgo

package nvml

import (
	"math"
	"sync"
	"time"

	gonvml "github.com/NVIDIA/go-nvml/pkg/nvml"
)

const (
	// gpmMinWindow is the shortest that NVML can compute metrics of.
	gpmMinWindow = 100 * time.Millisecond
	// gpmMaxWindow is the longest that a reading is of use for.
	gpmMaxWindow = 5 * time.Minute
)

// gpm is GPM: the samples at both ends of the last window.
type gpm struct {
	a          *adapter
	generation uint64
	take       func(gonvml.GpmSample) gonvml.Return

	mu         sync.Mutex // taken within
	start, end gpmSample
}

// gpmSample is memory for a sample; at is zero while it has none.
type gpmSample struct {
	sample gonvml.GpmSample
	at     time.Time
}

// NewGPM implements Partition for a GPU.
func (d *device) NewGPM() (GPM, error) {
	return newGPM(d, symGPMSampleGet, d.handle.GpmSampleGet)
}

// NewGPM implements Partition for an instance, by the handle of its GPU, which
// does not die.
func (m *migDevice) NewGPM() (GPM, error) {
	id, err := m.GPUInstanceID()
	if err != nil {
		return nil, err
	}
	return newGPM(m.parent, symGPMMIGSampleGet, func(s gonvml.GpmSample) gonvml.Return {
		return m.parent.handle.GpmMigSampleGet(int(id), s)
	})
}

func newGPM(d *device, get symbol, take func(gonvml.GpmSample) gonvml.Return) (GPM, error) {
	g := &gpm{a: d.a, generation: d.generation, take: take}
	err := d.a.within(d.generation, func(uint64) error {
		// No more than a hint: the call was broken in some versions of go-nvml, and
		// fails with some drivers whose samples are good.
		if d.a.symbols[symGPMQueryDeviceSupport] {
			support, ret := d.handle.GpmQueryDeviceSupport()
			err := result(ret)
			if err == nil && support.IsSupportedDevice == 0 {
				return CodeNotSupported
			}
			if err != nil && !IsUnsupported(err) {
				return err
			}
		}
		for _, s := range []*gpmSample{&g.start, &g.end} {
			sample, ret := d.a.nv.GpmSampleAlloc()
			if err := result(ret); err != nil {
				g.free()
				return err
			}
			s.sample = sample
		}
		if err := g.sample(&g.end, d.a.now()); err != nil {
			g.free()
			return err
		}
		d.a.own(g)
		return nil
	}, symGPMSampleAlloc, symGPMSampleFree, symGPMMetricsGet, get)
	if err != nil {
		return nil, err
	}
	return g, nil
}

func (g *gpm) sample(s *gpmSample, now time.Time) error {
	s.at = time.Time{}
	if err := result(g.take(s.sample)); err != nil {
		return err
	}
	s.at = now
	return nil
}

// Read implements GPM.
func (g *gpm) Read(metrics []GPMMetric) (GPMReading, error) {
	var reading GPMReading
	err := g.a.within(g.generation, func(uint64) (err error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.end.sample == nil {
			return CodeUninitialized
		}
		if err := g.advance(g.a.now()); err != nil {
			return err
		}
		reading, err = g.read(metrics)
		return err
	})
	return reading, err
}

// advance moves the window up to now.
func (g *gpm) advance(now time.Time) error {
	age := now.Sub(g.end.at)
	switch {
	case g.end.at.IsZero() || age > gpmMaxWindow:
		g.start.at = time.Time{}
		if err := g.sample(&g.end, now); err != nil {
			return err
		}
	case age >= gpmMinWindow:
		if err := g.sample(&g.start, now); err != nil {
			return err
		}
		g.start, g.end = g.end, g.start
	}
	if g.start.at.IsZero() {
		return CodeNoData
	}
	return nil
}

func (g *gpm) read(metrics []GPMMetric) (GPMReading, error) {
	r := GPMReading{Start: g.start.at, End: g.end.at, Values: make([]GPMValue, len(metrics))}
	ask := &gonvml.GpmMetricsGetType{Sample1: g.start.sample, Sample2: g.end.sample}
	if len(metrics) > len(ask.Metrics) {
		return GPMReading{}, CodeInvalidArgument
	}
	ask.NumMetrics = uint32(len(metrics))
	for i, m := range metrics {
		ask.Metrics[i].MetricId = uint32(m)
	}
	if err := result(g.a.nv.GpmMetricsGet(ask)); err != nil {
		return GPMReading{}, err
	}
	for i, m := range metrics {
		got := ask.Metrics[i]
		v := GPMValue{Metric: m, Err: result(gonvml.Return(got.NvmlReturn))}
		switch {
		case v.Err != nil:
		case math.IsNaN(got.Value) || math.IsInf(got.Value, 0):
			v.Err = CodeNoData
		case isRate(m):
			v.Value = got.Value * (1 << 20)
		default:
			v.Value = got.Value / 100
		}
		r.Values[i] = v
	}
	return r, nil
}

// isRate says that NVML gives a metric in MiB/s; the others are percent.
func isRate(m GPMMetric) bool {
	return m == GPMPCIeTransmit || m == GPMPCIeReceive || (m >= GPMNVLinkReceive && m <= gpmNVLinkLast)
}

// Close implements GPM.
func (g *gpm) Close() error {
	g.a.discard(g.generation, g)
	return nil
}

// free implements resource.
func (g *gpm) free() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, s := range []*gpmSample{&g.start, &g.end} {
		if s.sample != nil {
			_ = s.sample.Free()
			*s = gpmSample{}
		}
	}
}
