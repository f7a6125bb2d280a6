package nvmlreceiver

import (
	"strings"
	"sync"

	"go.uber.org/zap"

	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
)

// journal writes a line when something changes, and none while it stays the same.
type journal struct {
	logger *zap.Logger

	// reason is why the driver does not answer; state is that of before the first scrape.
	state    driverState
	reason   string
	unopened string
	denied   map[string]bool
	stuck    map[string]bool
	foreign  bool
	unclosed bool

	mu     sync.Mutex // events come on a goroutine of their own
	events string
}

func newJournal(logger *zap.Logger) *journal {
	return &journal{logger: logger, denied: make(map[string]bool), stuck: make(map[string]bool)}
}

// driver notes the state of the driver and returns whether it has changed.
func (j *journal) driver(state driverState, err error, seen *inventory) bool {
	reason := ""
	if err != nil {
		reason = reasonOf(err)
	}
	if state == j.state && reason == j.reason {
		return false
	}
	changed := state != j.state
	j.state, j.reason = state, reason
	switch state {
	case driverReady:
		j.logger.Info("The NVIDIA driver answers.", zap.String("driver", seen.version), zap.Int("gpus", seen.count))
	case driverNoDevices:
		j.logger.Warn("The NVIDIA driver shows no GPU.", zap.String("driver", seen.version),
			zap.String("hint", "In a container this usually means that /dev/nvidia* is missing: use the NVIDIA runtime with the capability utility."))
	case driverReleased:
		j.logger.Info("The NVIDIA driver is let go of: the release file exists. Nothing is read until it is gone.")
	case driverStuck:
		j.logger.Warn("A call hangs in the NVIDIA driver. Nothing is read until it ends.",
			zap.String("hint", "See the kernel log (NVRM). A call that hangs cannot be ended; restarting the collector may have to wait for it too."))
	case driverUnavailable:
		if absent(err) {
			j.logger.Info(noDriver, zap.String("reason", reason), zap.String("hint", hintFor(err)))
			break
		}
		j.logger.Warn("The NVIDIA driver does not answer.", zap.String("reason", reason), zap.Error(err), zap.String("hint", hintFor(err)))
	}
	return changed
}

// inventory notes GPUs that exist but cannot be opened.
func (j *journal) inventory(errs []error) {
	messages := make([]string, 0, len(errs))
	for _, err := range errs {
		messages = append(messages, err.Error())
	}
	unopened := strings.Join(messages, "; ")
	if unopened == j.unopened {
		return
	}
	j.unopened = unopened
	if unopened != "" {
		j.logger.Warn("Some GPUs cannot be opened.", zap.String("errors", unopened), zap.String("hint", hintFor(errs[0])))
	}
}

// permissions notes calls that were denied, each once.
func (j *journal) permissions(denied []string) {
	for _, call := range denied {
		if !j.denied[call] {
			j.denied[call] = true
			j.logger.Warn("The NVIDIA driver denies a call; its metrics are left out.", zap.String("call", call),
				zap.String("hint", "Some calls need root, or CAP_SYS_ADMIN in MIG mode. Do without, or give the collector that right."))
		}
	}
}

// gpuStuck notes that a call of one GPU hangs, or no longer does.
func (j *journal) gpuStuck(uuid string, stuck bool) {
	if stuck == j.stuck[uuid] {
		return
	}
	j.stuck[uuid] = stuck
	if stuck {
		j.logger.Warn("A call hangs in the NVIDIA driver. The GPU is not read until it ends.", zap.String("hw.id", uuid),
			zap.String("hint", "See the kernel log (NVRM). A call that hangs cannot be ended."))
	} else {
		j.logger.Info("The GPU is read again.", zap.String("hw.id", uuid))
	}
}

func (j *journal) gpuLost(uuid string, err error) {
	j.logger.Warn("The GPU can no longer be read.", zap.String("hw.id", uuid), zap.String("reason", reasonOf(err)), zap.String("hint", hintFor(err)))
}

func (j *journal) gpuReturned(uuid string) {
	j.logger.Info("The GPU can be read again.", zap.String("hw.id", uuid))
}

// pids notes that the processes which the driver names are not to be found.
func (j *journal) pids(foreign bool) {
	if foreign && !j.foreign {
		j.logger.Warn("None of the processes on the GPUs can be found: the driver names them by other ids than this proc does.",
			zap.String("hint", "Run the collector on the host or with pid: host, or set docker::proc_root to the proc of the host."))
	}
	j.foreign = foreign
}

// noEvents notes why the driver delivers no events.
func (j *journal) noEvents(err error) {
	reason := ""
	if err != nil {
		reason = nvml.CodeOf(err).Error()
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if reason != j.events && reason != "" {
		j.logger.Warn("The NVIDIA driver delivers no events: XID errors will not be seen.", zap.String("reason", reason))
	}
	j.events = reason
}

// closing notes whether the driver could be let go of.
func (j *journal) closing(err error) {
	if err != nil && !j.unclosed {
		j.logger.Warn("The NVIDIA driver could not be let go of.", zap.Error(err))
	}
	j.unclosed = err != nil
}
