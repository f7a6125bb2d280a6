package nvmlreceiver

import (
	"maps"
	"sync"
	"time"

	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

type xidSeverity = metadata.AttributeHwGpuXidSeverity

const (
	xidApp      = metadata.AttributeHwGpuXidSeverityApp
	xidDegraded = metadata.AttributeHwGpuXidSeverityDegraded
	xidFatal    = metadata.AttributeHwGpuXidSeverityFatal
	xidUnknown  = metadata.AttributeHwGpuXidSeverityUnknown
)

// xid is what a number means and what to do.
type xid struct {
	severity xidSeverity
	hint     string
}

// xids are those that servers with data center GPUs meet.
// https://docs.nvidia.com/deploy/xid-errors/
var xids = map[uint64]xid{
	13:  {xidApp, "A program made an illegal access or instruction. Look at the program first; if several programs fail on this GPU alone, test the GPU."},
	31:  {xidApp, "A program accessed memory that is not its own. Look at the program first; if several programs fail on this GPU alone, test the GPU."},
	43:  {xidApp, "A program made a mistake and was stopped. The GPU is well."},
	45:  {xidApp, "A program was ended while it used the GPU, often after another error. The GPU is well."},
	48:  {xidFatal, "Memory has an error that ECC could not correct. Programs on the GPU were ended; reset the GPU when it is free."},
	63:  {xidDegraded, "A memory row will be replaced by a spare one at the next reset of the GPU. Reset it when that suits."},
	64:  {xidFatal, "A memory row could not be replaced. Reset the GPU; if that does not help, have the board replaced."},
	74:  {xidFatal, "An NVLink has an error. Programs that use several GPUs fail; reset the GPUs, and check the links if it comes again."},
	79:  {xidFatal, "The GPU has fallen off the bus. Restart the host; check power, heat and seat of the board if it comes again."},
	94:  {xidDegraded, "An ECC error was contained: the program that met it was ended, others go on. Reset the GPU when that suits."},
	95:  {xidFatal, "An ECC error was not contained: programs on the GPU are affected. Reset the GPU before it is used again."},
	119: {xidFatal, "The GPU's system processor does not answer. Reset the GPU; restart the host if that does not help."},
	120: {xidFatal, "The GPU's system processor has an error. Reset the GPU; restart the host if that does not help."},
	154: {xidDegraded, "What must be done to the GPU has changed: see its recovery action."},
}

// xidOf looks a number up.
func xidOf(code uint64) xid {
	if x, ok := xids[code]; ok {
		return x
	}
	return xid{xidUnknown, "See NVIDIA's list of XID errors; the kernel log (NVRM: Xid) has the details."}
}

// maxXIDs bounds how many numbers are counted apart on one GPU; the rest counts
// as xidNotTold.
const (
	maxXIDs    = 256
	xidNotTold = 999
)

// xidTracker counts XID errors by GPU. Events and scrapes come on different
// goroutines.
type xidTracker struct {
	mu    sync.Mutex
	count map[string]map[uint64]int64
	fatal map[string]time.Time
}

func newXIDTracker() *xidTracker {
	return &xidTracker{count: make(map[string]map[uint64]int64), fatal: make(map[string]time.Time)}
}

// add counts one and returns what it means.
func (t *xidTracker) add(uuid string, code uint64, now time.Time) xid {
	t.mu.Lock()
	defer t.mu.Unlock()
	counts := t.count[uuid]
	if counts == nil {
		counts = make(map[uint64]int64)
		t.count[uuid] = counts
	}
	x := xidOf(code)
	if _, ok := counts[code]; !ok && len(counts) >= maxXIDs {
		code = xidNotTold
	}
	counts[code]++
	if x.severity == xidFatal {
		t.fatal[uuid] = now
	}
	return x
}

// of returns the counts of a GPU.
func (t *xidTracker) of(uuid string) map[uint64]int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return maps.Clone(t.count[uuid])
}

// fatalMemory is for how long a fatal error makes a GPU degraded that works and
// of which the driver does not say that anything must be done.
const fatalMemory = time.Hour

// fatalSince says whether a GPU had a fatal error of late.
func (t *xidTracker) fatalSince(uuid string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	last, ok := t.fatal[uuid]
	return ok && now.Sub(last) < fatalMemory
}

// forgive forgets fatal errors of a GPU: it was reset.
func (t *xidTracker) forgive(uuid string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.fatal, uuid)
}
