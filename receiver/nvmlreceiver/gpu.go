package nvmlreceiver

import (
	"github.com/otelcol-llm/otelcol-llm/internal/nvml"
)

// gpu is what is remembered of one GPU from scrape to scrape, for as long as the
// collector runs.
type gpu struct {
	id identity
	// reader is nil while there is no handle. slot outlives it: while a call of an
	// old handle hangs, the GPU is left alone.
	reader *reader
	slot   slot
	// retired is the last reader of a GPU that there is no handle for.
	retired *reader

	// lost is why the GPU cannot be read, nil while it can.
	lost  error
	again backoff

	// errors and skipped count since the receiver was started.
	errors  map[string]int64
	skipped int64

	action   recoveryAction
	throttle throttleTracker
}

func newGPU(uuid string) *gpu {
	return &gpu{id: identity{uuid: uuid}, errors: make(map[string]int64), action: actionNone}
}

// throttleQuiet is for how many scrapes a reason must not be seen to be over. The
// power limit comes and goes by the second.
const throttleQuiet = 3

// throttleTracker knows which reasons hold the clocks down, as of the scrapes.
type throttleTracker struct {
	// unseen are the reasons that hold, and for how many scrapes they were not seen.
	unseen map[throttleReason]int
}

// next returns which reasons began to hold and which ended. Only real ones count,
// not idling nor what someone asked for.
func (t *throttleTracker) next(active nvml.ClockEventReasons) (started, ended []throttleReason) {
	if t.unseen == nil {
		t.unseen = make(map[throttleReason]int)
	}
	for _, reason := range reasons {
		if !reason.real {
			continue
		}
		unseen, holds := t.unseen[reason.attribute]
		switch {
		case active&reason.bit != 0:
			t.unseen[reason.attribute] = 0
			if !holds {
				started = append(started, reason.attribute)
			}
		case holds && unseen+1 >= throttleQuiet:
			delete(t.unseen, reason.attribute)
			ended = append(ended, reason.attribute)
		case holds:
			t.unseen[reason.attribute] = unseen + 1
		}
	}
	return started, ended
}
