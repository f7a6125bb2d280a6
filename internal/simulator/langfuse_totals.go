package simulator

import "time"

// LangfuseTotals is the truth about a time range, whoever can see it yet.
type LangfuseTotals struct {
	// Traces by their time, Roots and Observations by their start, Scores by their time.
	Traces, Roots, Observations, Scores int
	// Users and Sessions are the different ones of those traces.
	Users, Sessions int
	// Generations are observations of that type, and ByModel is what they used, "" for those without a model.
	Generations int
	ByModel     map[string]LangfuseUsage
	// ByLevel counts observations.
	ByLevel map[string]int
	// Usage is the sum over all observations.
	Usage LangfuseUsage
}

// LangfuseUsage is tokens and USD. Costs that are null count as 0. Costs add up as decimals of 12 places, as in the
// data base, so that sums do not depend on the order.
type LangfuseUsage struct {
	Observations                           int
	InputTokens, OutputTokens, TotalTokens int
	InputCost, OutputCost, TotalCost       float64
}

// langfuseDecimals is the number of units in a dollar: costs are Decimal64(12) there.
const langfuseDecimals = 1e12

// langfuseSum is a LangfuseUsage with costs in units.
type langfuseSum struct {
	n, input, output, total          int
	inputCost, outputCost, totalCost int64
}

func (s *langfuseSum) add(o *LangfuseObservation) {
	s.n++
	s.input += o.InputTokens
	s.output += o.OutputTokens
	s.total += o.TotalTokens
	s.inputCost += unitsOf(o.InputCost)
	s.outputCost += unitsOf(o.OutputCost)
	s.totalCost += unitsOf(o.TotalCost)
}

func (s *langfuseSum) usage() LangfuseUsage {
	return LangfuseUsage{
		Observations: s.n, InputTokens: s.input, OutputTokens: s.output, TotalTokens: s.total,
		InputCost: costValue(s.inputCost), OutputCost: costValue(s.outputCost), TotalCost: costValue(s.totalCost),
	}
}

// Totals is the truth about everything whose time is in [from, to), seen by queries or not yet.
func (l *Langfuse) Totals(from, to time.Time) LangfuseTotals {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := LangfuseTotals{ByModel: map[string]LangfuseUsage{}, ByLevel: map[string]int{}, Scores: len(l.scores.between(from, to))}
	users, sessions := map[string]bool{}, map[string]bool{}
	for _, trace := range l.traces.between(from, to) {
		t.Traces++
		users[trace.UserID], sessions[trace.SessionID] = true, true
	}
	delete(users, "")
	delete(sessions, "")
	t.Users, t.Sessions = len(users), len(sessions)

	var all langfuseSum
	byModel := map[string]*langfuseSum{}
	for _, o := range l.observations.between(from, to) {
		all.add(o)
		t.ByLevel[o.Level]++
		if o.root() {
			t.Roots++
		}
		if o.Type != "GENERATION" {
			continue
		}
		t.Generations++
		if byModel[o.Model] == nil {
			byModel[o.Model] = &langfuseSum{}
		}
		byModel[o.Model].add(o)
	}
	t.Observations, t.Usage = all.n, all.usage()
	for model, sum := range byModel {
		t.ByModel[model] = sum.usage()
	}
	return t
}
