package nvmlreceiver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
	"github.com/otelcol-llm/otelcol-llm/receiver/nvmlreceiver/internal/metadata"
)

type driverState = metadata.AttributeNvmlState

const (
	driverReady       = metadata.AttributeNvmlStateReady
	driverNoDevices   = metadata.AttributeNvmlStateNoDevices
	driverReleased    = metadata.AttributeNvmlStateReleased
	driverStuck       = metadata.AttributeNvmlStateStuck
	driverUnavailable = metadata.AttributeNvmlStateUnavailable
)

var driverStates = []driverState{driverReady, driverNoDevices, driverReleased, driverStuck, driverUnavailable}

const (
	minBackoff = time.Second
	maxBackoff = time.Minute
	// closeTimeout bounds how long letting go of the driver may take: calls under
	// way have to end first.
	closeTimeout = 3 * time.Second
)

// backoff says when to try again, later after each failure.
type backoff struct {
	wait time.Duration
	next time.Time
}

func (b *backoff) due(now time.Time) bool { return !now.Before(b.next) }

func (b *backoff) failed(now time.Time) {
	b.wait = min(max(2*b.wait, minBackoff), maxBackoff)
	b.next = now.Add(b.wait)
}

func (b *backoff) reset() { *b = backoff{} }

// inventory is what the driver has.
type inventory struct {
	version, nvml, cuda string
	count               int
	devices             []found
	// unopened are GPUs that exist but cannot be opened, by the error.
	unopened []error
	err      error
}

// found is a GPU that can be opened.
type found struct {
	device nvml.Device
	uuid   string
}

// driver is the connection to the driver: it opens, keeps open, lets go and opens
// anew.
type driver struct {
	library     nvml.Library
	releaseFile string
	slot        slot
	closing     slot

	open bool
	// err is why it is not open, nil while it is.
	err   error
	again backoff
	// waiting says that it is not yet time to try again.
	waiting bool
	inventory
	// sessions counts how often the driver was opened, lists how often its GPUs
	// were listed.
	sessions, lists int
	listed          bool
}

// released says whether the operator wants the driver to be let go of.
func (d *driver) released() bool {
	if d.releaseFile == "" {
		return false
	}
	_, err := os.Stat(d.releaseFile)
	return err == nil
}

// connect makes sure that the driver is open and its GPUs are known.
func (d *driver) connect(ctx context.Context, now time.Time, relist bool) error {
	d.waiting = !d.open && !d.again.due(now)
	if d.waiting {
		return d.err
	}
	if !d.open {
		failure, stuck := inSlot(ctx, &d.slot, d.library.Init)
		if err := errors.Join(failure, stuck); err != nil {
			if stuck == nil {
				d.failed(failure, now)
			}
			return err
		}
		d.open, d.listed = true, false
		d.sessions++
	}
	onlyCount := d.listed && !relist
	seen, err := d.look(ctx, onlyCount)
	if err == nil && onlyCount && seen.count != d.count { // a GPU came or went: see which
		onlyCount = false
		seen, err = d.look(ctx, onlyCount)
	}
	if err != nil {
		return err
	}
	if !onlyCount {
		d.inventory, d.listed = seen, true
		d.lists++
	}
	d.err = nil
	return nil
}

// look asks the driver what it has.
func (d *driver) look(ctx context.Context, onlyCount bool) (inventory, error) {
	seen, stuck := inSlot(ctx, &d.slot, func() inventory { return d.list(onlyCount) })
	if stuck != nil {
		return seen, stuck
	}
	return seen, seen.err
}

// list asks the driver what it has; only for the number of GPUs if that is all
// that may have changed. It runs in the slot.
func (d *driver) list(onlyCount bool) inventory {
	var seen inventory
	if seen.count, seen.err = d.library.DeviceCount(); seen.err != nil || onlyCount {
		return seen
	}
	// What cannot be told of these is left out.
	seen.version, _ = d.library.DriverVersion()
	seen.nvml, _ = d.library.NVMLVersion()
	seen.cuda, _ = d.library.CUDAVersion()
	for i := range seen.count {
		device, err := d.library.Device(i)
		if err == nil {
			var uuid string
			if uuid, err = device.UUID(); err == nil {
				seen.devices = append(seen.devices, found{device, uuid})
				continue
			}
		}
		if nvml.IsLibrary(err) && nvml.CodeOf(err) != nvml.CodeUnknown {
			seen.err = err
			return seen
		}
		seen.unopened = append(seen.unopened, fmt.Errorf("GPU %d: %w", i, err))
	}
	return seen
}

// failed notes that the driver does not work, and when to try again.
func (d *driver) failed(err error, now time.Time) {
	d.err = err
	d.again.failed(now)
}

// close lets go of the driver. It fails where a call hangs.
func (d *driver) close(ctx context.Context) error {
	if !d.open {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	failure, stuck := inSlot(ctx, &d.closing, func() error { return d.library.Shutdown(ctx) })
	if err := errors.Join(failure, stuck); err != nil {
		return err
	}
	d.open, d.listed = false, false
	return nil
}

// hints say what to do about a driver that does not answer, by its code.
var hints = map[nvml.Code]string{
	nvml.CodeLibraryNotFound:       "Without NVIDIA GPUs that is as it should be. Else install the driver, or say where it is with library; in a container, use the NVIDIA runtime with the capability utility.",
	nvml.CodeDriverNotLoaded:       "Load the driver: run nvidia-smi on the host. The receiver goes on by itself.",
	nvml.CodeLibRMVersionMismatch:  "The driver was upgraded under the collector: restart the collector. If that does not help, restart the host.",
	nvml.CodeNoPermission:          "Let the collector's user read and write /dev/nvidiactl and /dev/nvidia*.",
	nvml.CodeUnknown:               "The driver is in trouble: see the kernel log (NVRM). The receiver goes on by itself.",
	nvml.CodeUninitialized:         "The driver was reloaded. The receiver goes on by itself.",
	nvml.CodeFunctionNotFound:      "The driver is too old for this receiver.",
	nvml.CodeAlreadyInitialized:    "Another receiver of this collector has loaded NVML from another path: give both the same library.",
	nvml.CodeGPUIsLost:             "The GPU has fallen off the bus: restart the host. The kernel log (NVRM: Xid) says more.",
	nvml.CodeResetRequired:         "Reset the GPU when it is free: nvidia-smi -r.",
	nvml.CodeGPUNotFound:           "The driver no longer shows the GPU: see the kernel log (NVRM).",
	nvml.CodeInsufficientResources: "The driver has no memory left for this: see the kernel log (NVRM).",
}

// hintFor says what to do about an error.
func hintFor(err error) string {
	if errors.Is(err, nvml.ErrNotInBuild) {
		return "Use a build for Linux with cgo, or take the nvml receiver out of the configuration."
	}
	if hint, ok := hints[nvml.CodeOf(err)]; ok {
		return hint
	}
	return "See the kernel log (NVRM)."
}

// noDriver is what is said of a host that may well have no GPU.
const noDriver = "There is no NVIDIA driver here; the receiver waits for one."

// absent says whether there never was a driver to speak of.
func absent(err error) bool {
	return errors.Is(err, nvml.ErrNotInBuild) || nvml.CodeOf(err) == nvml.CodeLibraryNotFound
}

// reasonOf names an error in a word of low cardinality.
func reasonOf(err error) string {
	switch {
	case errors.Is(err, errStuck):
		return "stuck"
	case errors.Is(err, nvml.ErrNotInBuild):
		return "not_in_build"
	default:
		return nvml.CodeOf(err).Error()
	}
}
