package langfusereceiver

import (
	"time"

	"go.uber.org/zap"
)

// journal writes the log lines. Who calls it knows that something changed.
type journal struct{ logger *zap.Logger }

func (j *journal) health(reason string, err error) {
	if err == nil {
		j.logger.Info("The Langfuse server is well again.")
		return
	}
	j.logger.Warn("The Langfuse server does not answer its health check.", because(reason, err)...)
}

func because(reason string, err error) []zap.Field {
	return []zap.Field{zap.String("reason", reason), zap.Error(err), zap.String("hint", hintFor(reason))}
}

func (j *journal) skew(skew time.Duration) {
	if skew == 0 {
		j.logger.Info("The clocks of the Langfuse server and of this host agree again.")
		return
	}
	j.logger.Warn("The clock of the Langfuse server differs from that of this host; windows end by the server's. Check which one is right.",
		zap.Duration("server_ahead", skew.Round(time.Second)))
}

func (j *journal) project(p project) {
	j.logger.Info("Reading the Langfuse project.", zap.String("project", p.Name), zap.String("id", p.ID))
}

func (j *journal) otherProject(before, now project) {
	j.logger.Warn("The key belongs to another project than before. Its figures are counted anew.",
		zap.String("project", now.Name), zap.String("before", before.Name))
}

func (j *journal) api(before, now apiName) {
	j.logger.Info("Reading the metrics API.", zap.String("api", metricsPaths[now]), zap.String("before", metricsPaths[before]))
}

// queries notes that nothing can be read, or is read again.
func (j *journal) queries(reason string, err error) {
	if err == nil {
		j.logger.Info("The metrics of the Langfuse project are read again.")
		return
	}
	j.logger.Warn("The metrics of the Langfuse project cannot be read for now. What is missed is read later.", because(reason, err)...)
}

func (j *journal) limited(until time.Time, err error) {
	j.logger.Warn("The Langfuse server refuses further queries for now. What is missed is read later.",
		append(because("429", err), zap.Time("until", until))...)
}

// view notes that a view cannot be read, or is read again.
func (j *journal) view(name, reason string, err error) {
	if err == nil {
		j.logger.Info("The view is read again.", zap.String("view", name))
		return
	}
	j.logger.Warn("A view of the Langfuse project cannot be read for now. What is missed is read later.",
		append(because(reason, err), zap.String("view", name))...)
}

func (j *journal) lacks(name string, parts []string, err error) {
	if len(parts) == 1 && parts[0] == whole {
		j.logger.Warn("The Langfuse server does not have this view; its metrics are left out.", zap.String("view", name), zap.Error(err))
		return
	}
	j.logger.Info("The Langfuse server does not know all that was asked for; what it lacks is left out.",
		zap.String("view", name), zap.Strings("left_out", parts), zap.Error(err))
}

func (j *journal) beyondReach(name string, w window) {
	j.logger.Warn("The Langfuse server gives no data for this time any more; it is counted as empty.",
		zap.String("view", name), zap.Time("from", w.from), zap.Time("to", w.to))
}

func (j *journal) narrowed(name string, most time.Duration) {
	j.logger.Info("The windows of a view are made shorter, as the answer was too much.",
		zap.String("view", name), zap.Duration("at_most", most))
}

func (j *journal) truncated(name string, w window) {
	j.logger.Warn("The Langfuse server gives 1000 rows at most. The window cannot be made shorter, so its rarest entries are missing.",
		zap.String("view", name), zap.Time("from", w.from), zap.Time("to", w.to))
}

var limitSettings = map[string]string{
	kindModel: "max_models", kindScore: "max_scores", kindUser: "max_users", kindPrompt: "max_prompts",
}

func (j *journal) full(kind string) {
	fields := []zap.Field{zap.String("of", kind)}
	if raise, ok := limitSettings[kind]; ok {
		fields = append(fields, zap.String("raise", raise))
	}
	j.logger.Warn(`There are more names than are counted apart; the rest is counted as "other".`, fields...)
}

func (j *journal) behind(missing time.Duration) {
	j.logger.Info("Reading what happened before.", zap.Duration("missing", missing))
}

func (j *journal) progress(percent int, missing time.Duration) {
	j.logger.Info("Still reading what happened before.", zap.Int("percent", percent), zap.Duration("missing", missing))
}

func (j *journal) caughtUp() { j.logger.Info("All that happened before is read.") }

func (j *journal) tooOld(end time.Time, most time.Duration) {
	j.logger.Warn("What was stored ends longer ago than max_catch_up. Counting begins anew.",
		zap.Time("end", end), zap.Duration("max_catch_up", most))
}

func (j *journal) hole(name string, from, to time.Time) {
	j.logger.Warn("A view was not read for longer than max_catch_up. What happened meanwhile is not counted.",
		zap.String("view", name), zap.Time("from", from), zap.Time("to", to))
}

func (j *journal) corrupt(err error) {
	j.logger.Warn("What was stored cannot be used. Counting begins anew.", zap.Error(err))
}

func (j *journal) storage(err error) {
	if err == nil {
		j.logger.Info("The storage works again.")
		return
	}
	j.logger.Warn("The storage cannot be written. Counting goes on in memory.", because(reasonStorage, err)...)
}

func (j *journal) unread(err error) {
	j.logger.Warn("The storage cannot be read. Nothing is counted before it can be: what it holds would be counted twice.", because(reasonStorage, err)...)
}
