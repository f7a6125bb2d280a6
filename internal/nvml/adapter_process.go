//go:build linux && cgo

package nvml

import (
	"cmp"
	"math"
	"slices"

	gonvml "github.com/NVIDIA/go-nvml/pkg/nvml"
)

// list is a call that gives a list. go-nvml asks for its length first, and slices
// what comes by a second count without a check.
func list[T any](p *partition, s symbol, f func() ([]T, gonvml.Return)) (items []T, err error) {
	defer func() {
		if recover() != nil { // the list grew in between
			items, err = nil, CodeInsufficientSize
		}
	}()
	return get(p, s, f)
}

// Processes implements Partition.
func (p *partition) Processes() ([]Process, error) {
	type key struct{ pid, gpuInstance, computeInstance uint32 }
	var (
		merged  = []Process{}
		index   = map[key]int{}
		found   bool
		firstly error
	)
	for _, l := range []struct {
		symbol symbol
		ask    func() ([]gonvml.ProcessInfo, gonvml.Return)
		mark   func(*Process)
	}{
		{symComputeProcesses, p.handle.GetComputeRunningProcesses, func(p *Process) { p.Compute = true }},
		{symGraphicsProcesses, p.handle.GetGraphicsRunningProcesses, func(p *Process) { p.Graphics = true }},
		{symMPSProcesses, p.handle.GetMPSComputeRunningProcesses, func(p *Process) { p.MPS = true }},
	} {
		infos, err := list(p, l.symbol, l.ask)
		switch {
		case err == nil || IsNoData(err):
			found = true
		case IsUnsupported(err):
			if firstly == nil {
				firstly = err
			}
			continue
		default:
			return nil, err
		}
		for _, info := range infos {
			k := key{info.Pid, info.GpuInstanceId, info.ComputeInstanceId}
			i, twice := index[k]
			if !twice {
				i = len(merged)
				index[k] = i
				merged = append(merged, process(info))
			}
			at := &merged[i]
			l.mark(at)
			if info.UsedGpuMemory != notAvailable { // in two lists it is the same memory
				at.Memory, at.HasMemory = max(at.Memory, info.UsedGpuMemory), true
			}
		}
	}
	if !found {
		return nil, firstly
	}
	slices.SortFunc(merged, func(a, b Process) int {
		return cmp.Or(cmp.Compare(a.PID, b.PID), cmp.Compare(a.GPUInstanceID, b.GPUInstanceID), cmp.Compare(a.ComputeInstanceID, b.ComputeInstanceID))
	})
	return merged, nil
}

const (
	notAvailable uint64 = math.MaxUint64
	noInstance   uint32 = math.MaxUint32
)

func process(info gonvml.ProcessInfo) Process {
	p := Process{PID: info.Pid}
	p.InMIG, p.GPUInstanceID, p.ComputeInstanceID = instance(info.GpuInstanceId, info.ComputeInstanceId)
	return p
}

// instance gives the ids of an instance where there is one. A GPU instance can
// stand without a compute instance.
func instance(gpu, compute uint32) (inMIG bool, gpuID, computeID uint32) {
	if gpu == noInstance {
		return false, 0, 0
	}
	if compute == noInstance {
		compute = 0
	}
	return true, gpu, compute
}

// ProcessUtilization implements Device.
func (d *device) ProcessUtilization(since uint64) (samples []ProcessUtilization, newest uint64, err error) {
	raw, err := list(&d.partition, symProcessUtilization, func() ([]gonvml.ProcessUtilizationSample, gonvml.Return) {
		return d.handle.GetProcessUtilization(since)
	})
	if IsNoData(err) {
		return nil, since, nil
	}
	if err != nil {
		return nil, since, err
	}
	newest = since
	index := map[uint32]int{}
	for _, r := range raw {
		if r.Pid == 0 || max(r.SmUtil, r.MemUtil, r.EncUtil, r.DecUtil) > 100 {
			continue // slots that the driver did not fill
		}
		newest = max(newest, r.TimeStamp)
		s := ProcessUtilization{
			PID: r.Pid, Timestamp: r.TimeStamp,
			SM: ratio(r.SmUtil), Memory: ratio(r.MemUtil), Encoder: ratio(r.EncUtil), Decoder: ratio(r.DecUtil),
		}
		i, twice := index[r.Pid]
		switch {
		case !twice:
			index[r.Pid] = len(samples)
			samples = append(samples, s)
		case r.TimeStamp > samples[i].Timestamp:
			samples[i] = s
		}
	}
	return samples, newest, nil
}
