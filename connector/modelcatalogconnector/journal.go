package modelcatalogconnector

import (
	"errors"
	"time"

	"go.uber.org/zap"
)

// journal writes a line when something changes, and none while it stays the same.
type journal struct {
	logger *zap.Logger

	fault  string
	failed bool
	// refused is when something was left out last.
	refused map[refusal]time.Time
}

func newJournal(logger *zap.Logger) *journal {
	return &journal{logger: logger, refused: make(map[refusal]time.Time)}
}

// file notes how the file was read.
func (j *journal) file(path string, err error, models int) {
	was := j.fault
	j.fault = ""
	if err != nil {
		j.fault = err.Error()
	}
	if j.fault == was {
		return
	}
	if err == nil {
		j.logger.Info("The file of the model catalog is in use again.", zap.String("file", path), zap.Int("models", models))
		return
	}
	fields := []zap.Field{zap.String("file", path)}
	var f *fault
	if errors.As(err, &f) {
		if f.line > 0 {
			fields = append(fields, zap.Int("line", f.line))
		}
		fields = append(fields, zap.String("fault", f.what))
	}
	j.logger.Warn("The file of the model catalog cannot be used as it is. What it said before stays in use.", fields...)
}

var refusalHints = map[refusal]string{
	refusedModel:  "Raise max_models if there are meant to be so many.",
	refusedSeries: "Raise max_series, or let the receivers tell fewer labels apart.",
	refusedName:   "A name may have 256 bytes.",
}

// refusals notes what was left out. One that comes again within a while is no news.
func (j *journal) refusals(counts refusals, now time.Time, while time.Duration) {
	for what, n := range counts {
		last, before := j.refused[what]
		j.refused[what] = now
		if !before || now.Sub(last) > while {
			j.logger.Warn("The model catalog leaves something out.", zap.String("refused", what.String()), zap.Int64("count", n),
				zap.String("hint", refusalHints[what]))
		}
	}
}

// emitted notes whether the next consumer took the catalog.
func (j *journal) emitted(err error) {
	failed := j.failed
	j.failed = err != nil
	switch {
	case failed == j.failed:
	case j.failed:
		j.logger.Warn("The model catalog could not be passed on. It is tried again.", zap.Error(err))
	default:
		j.logger.Info("The model catalog is passed on again.")
	}
}
