package site

import (
	"math"
	"time"
)

// Host is the machine at a moment: what the hostmetrics receiver would read of it. Counters are since Boot.
type Host struct {
	Name string
	// Boot is when it was started.
	Boot  time.Time
	Cores []CoreTimes
	// Load is the load average of 1, 5 and 15 minutes.
	Load [3]float64
	// Memory in bytes.
	MemoryTotal, MemoryUsed, MemoryCached, MemoryBuffered, MemoryFree, MemorySlabReclaimable, MemorySlabUnreclaimable uint64
	SwapTotal, SwapUsed                                                                                               uint64
	Disks                                                                                                             []Disk
	Networks                                                                                                          []Network
	// Processes by state, and how many were ever made.
	Running, Sleeping, Blocked, Zombies int64
	Created                             int64
	Connections                         map[string]int64
	PageFaultsMinor, PageFaultsMajor    int64
}

// CoreTimes is the time of a core by state, in seconds.
type CoreTimes struct {
	User, System, Idle, Wait, Nice, Interrupt, SoftIRQ, Steal float64
}

// Disk is a block device with its file system.
type Disk struct {
	DiskSpec
	Used                                         uint64
	Inodes, InodesUsed                           uint64
	ReadBytes, WrittenBytes, Reads, Writes       int64
	IOTime, ReadTime, WriteTime, WeightedTime    float64
	MergedReads, MergedWrites, PendingOperations int64
}

// Network is an interface.
type Network struct {
	Device                       string
	ReceivedBytes, SentBytes     int64
	ReceivedPackets, SentPackets int64
	ReceivedErrors, SentErrors   int64
	ReceivedDropped, SentDropped int64
}

// upBefore is how long the machine ran before the world began.
const upBefore = 26 * 24 * time.Hour

// host moves the machine.
// bridge is Docker's own interface.
const bridge = "docker0"

type host struct {
	now    Host
	wander float64 // a slow random walk of the base load
	filled uint64  // of the data disk, by what went wrong
}

func newHost(w *World) host {
	s := &w.cfg.Spec.Host
	h := host{now: Host{
		Name: s.Name, Boot: w.cfg.Start.Add(-upBefore), Cores: make([]CoreTimes, s.Cores),
		MemoryTotal: s.Memory, SwapTotal: 8 * gib, Created: 4_100_000, Sleeping: 1640,
		Networks: []Network{{Device: "eth0"}, {Device: bridge}},
	}}
	up := upBefore.Seconds()
	for i := range h.now.Cores {
		h.now.Cores[i] = CoreTimes{User: 0.24 * up, System: 0.05 * up, Idle: 0.7 * up, Wait: 0.004 * up, SoftIRQ: 0.006 * up}
	}
	for _, d := range s.Disks {
		h.now.Disks = append(h.now.Disks, Disk{
			DiskSpec: d, Used: uint64(d.Used * float64(d.Size)), Inodes: d.Size / 16384, InodesUsed: d.Size / 400_000,
			ReadBytes: 1.1e12, WrittenBytes: 4.2e12, Reads: 21e6, Writes: 95e6, IOTime: 9e3, ReadTime: 4e3, WriteTime: 14e3, WeightedTime: 18e3,
		})
		if d.MountPoint != "/" { // the models are read from there
			last := &h.now.Disks[len(h.now.Disks)-1]
			last.ReadBytes, last.Reads, last.ReadTime, last.IOTime, last.WeightedTime = 41e12, 310e6, 90e3, 60e3, 104e3
		}
	}
	return h
}

// step moves the machine by a step.
func (h *host) step(w *World) {
	rng, step := w.random.host, w.cfg.Step.Seconds()
	spec := &w.cfg.Spec.Host
	n := &h.now
	used, memory := 0.0, uint64(0)
	var moved transfer
	for _, b := range w.boxes {
		used += b.rate
		memory += b.memory
		moved.add(b.moved)
	}
	// The base follows the day as people do, and wanders.
	h.wander += -h.wander*step/600 + 0.004*math.Sqrt(step)*rng.NormFloat64()
	base := spec.Base + spec.Swing*(2*daily(w.clock.Now().UTC(), 1)-1)
	share := min(max(base+h.wander+used/float64(spec.Cores), 0.02), 0.99)
	for i := range n.Cores {
		c := &n.Cores[i]
		busy := min(max(share*(0.85+0.3*rng.Float64()), 0), 1)
		c.User += step * busy * 0.8
		c.System += step * busy * 0.16
		c.SoftIRQ += step * busy * 0.03
		c.Wait += step * busy * 0.01
		c.Idle += step * (1 - busy)
	}
	runnable := share * float64(spec.Cores)
	for i, window := range []float64{60, 300, 900} {
		n.Load[i] += (runnable - n.Load[i]) * (1 - math.Exp(-step/window))
	}
	n.MemoryUsed = memory + uint64(0.02*float64(n.MemoryTotal))
	n.MemoryCached = uint64(0.38 * float64(n.MemoryTotal))
	n.MemoryBuffered = uint64(0.004 * float64(n.MemoryTotal))
	n.MemorySlabReclaimable, n.MemorySlabUnreclaimable = uint64(0.01*float64(n.MemoryTotal)), uint64(0.004*float64(n.MemoryTotal))
	n.MemoryFree = n.MemoryTotal - min(n.MemoryUsed+n.MemoryCached+n.MemoryBuffered+n.MemorySlabReclaimable+n.MemorySlabUnreclaimable, n.MemoryTotal)
	n.Running = int64(runnable) + 1
	n.Blocked = int64(poisson(rng, 0.05))
	n.Created += int64(poisson(rng, 1.6*step))
	n.PageFaultsMinor += int64(9000 * step)
	n.PageFaultsMajor += int64(poisson(rng, 0.4*step))
	n.Connections = map[string]int64{"ESTABLISHED": 120 + int64(runnable), "LISTEN": 41, "TIME_WAIT": 30 + int64(rng.IntN(20)), "CLOSE_WAIT": 1}
	h.stepDisks(w, moved)
	h.stepNetworks(moved, step)
}

func (h *host) stepDisks(w *World, moved transfer) {
	step := w.cfg.Step.Seconds()
	for i := range h.now.Disks {
		d := &h.now.Disks[i]
		growth := d.Growth * step / (24 * 3600)
		if i == len(h.now.Disks)-1 && w.effects.on(DiskFilling, nil) {
			growth += 0.01 * float64(d.Size) * step / 60 // a hundredth of it a minute
			h.filled += uint64(growth + 0.5)
		}
		full := uint64(0.985 * float64(d.Size))
		if over := d.Used + uint64(growth+0.5); over > full {
			h.filled -= min(over-full, h.filled)
		}
		d.Used = min(d.Used+uint64(growth+0.5), full)
		wrote := int64(growth) + int64(1.5e6*step)
		got := int64(0.4e6 * step)
		if i == len(h.now.Disks)-1 { // models and volumes
			got += int64(moved.read)
			wrote += int64(moved.written)
		}
		d.ReadBytes += got
		d.WrittenBytes += wrote
		d.Reads += got/65536 + 1
		d.Writes += wrote/32768 + 1
		d.ReadTime += float64(got) / 6e9
		d.WriteTime += float64(wrote) / 3e9
		d.IOTime += min(float64(got)/6e9+float64(wrote)/3e9, step)
		d.WeightedTime += float64(got)/6e9 + float64(wrote)/3e9
	}
}

// diskCleared gives back what filled the data disk.
func diskCleared(w *World, _ *Anomaly) {
	h := &w.host
	h.now.Disks[len(h.now.Disks)-1].Used -= h.filled
	h.filled = 0
}

func (h *host) stepNetworks(moved transfer, step float64) {
	for i := range h.now.Networks {
		n := &h.now.Networks[i]
		// A bridge sees the containers' side of what passes, and what they say to each other.
		in, out := int64(moved.received)+int64(2e3*step), int64(moved.sent)+int64(3e3*step)
		if n.Device == bridge {
			in, out = int64(1.3*float64(moved.sent)), int64(1.3*float64(moved.received))
		}
		n.ReceivedBytes += in
		n.SentBytes += out
		n.ReceivedPackets += in/900 + 1
		n.SentPackets += out/900 + 1
	}
}

// Host is the machine after the last step.
func (w *World) Host() Host {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.host.now
	h.Cores = append([]CoreTimes(nil), h.Cores...)
	h.Disks = append([]Disk(nil), h.Disks...)
	h.Networks = append([]Network(nil), h.Networks...)
	return h
}
