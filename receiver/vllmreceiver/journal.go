package vllmreceiver

import (
	"go.uber.org/zap"
)

// journal writes a line when something about a server changes, and none while it
// stays the same.
type journal struct {
	logger *zap.Logger

	reason      string
	state       serverState
	starting    bool
	modelReason string
	unknown     string
}

func newJournal(logger *zap.Logger) *journal {
	return &journal{logger: logger}
}

// status notes how the scrape went.
func (j *journal) status(st status, err error, t *tally) {
	reason, state, starting := j.reason, j.state, j.starting
	j.reason, j.state, j.starting = st.reason, st.state, st.starting
	fields := []zap.Field{zap.String("state", st.state.String())}
	switch {
	case st.starting:
		if !starting { // it has a reason to say nothing yet, and maybe several in turn
			j.logger.Info("The vLLM server is loading.", zap.String("reason", st.reason), zap.Duration("age", st.age))
		}
	case starting && st.reason == "":
		j.logger.Info("The vLLM server has loaded.", fields...)
	case (st.reason != reason || starting) && st.reason != "":
		fields = append(fields, zap.String("reason", st.reason))
		if err != nil {
			fields = append(fields, zap.Error(err))
		}
		if t.firstInvalid != "" {
			fields = append(fields, zap.String("metric", t.firstInvalid), zap.Int("series", t.invalid))
		}
		message := "The vLLM server can be read only in part."
		if !st.up {
			message = "The vLLM server cannot be read."
		}
		j.logger.Warn(message, append(fields, zap.String("hint", hintFor(st.reason)))...)
	case st.reason != reason:
		j.logger.Info("The vLLM server is read again.", fields...)
	case st.state != state && (st.state == stateStuck || st.state == stateFailed):
		j.logger.Warn("The vLLM server changed its state.", fields...)
	case st.state != state:
		j.logger.Info("The vLLM server changed its state.", fields...)
	}
	if st.up && t.firstUnknown != j.unknown {
		j.unknown = t.firstUnknown
		if t.unknown > 0 {
			j.logger.Info("The vLLM server has metrics that this receiver does not know; they are counted in vllm.scrape.unknown_series.",
				zap.String("metric", t.firstUnknown), zap.Int("series", t.unknown))
		}
	}
}

// models notes whether the list of models could be read.
func (j *journal) models(err error) {
	reason := ""
	if err != nil {
		reason = reasonOf(err)
	}
	if reason == j.modelReason {
		return
	}
	j.modelReason = reason
	if err != nil {
		j.logger.Warn("The list of models cannot be read; their names are taken from the metrics.",
			zap.String("reason", reason), zap.Error(err), zap.String("hint", hintFor(reason)))
	}
}
