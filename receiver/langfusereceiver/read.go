package langfusereceiver

import "slices"

// Values of the dimensions type and dataType.
const (
	typeGeneration  = "GENERATION"
	typeEmbedding   = "EMBEDDING"
	dataBoolean     = "BOOLEAN"
	dataCategorical = "CATEGORICAL"
)

// usageTypes are the observations whose tokens and cost are counted: calls of a
// model. What stands around them, such as an agent, may repeat their figures.
var usageTypes = []string{typeGeneration, typeEmbedding}

// quantiles maps aggregations to values of the attribute.
var quantiles = []struct{ aggregation, quantile string }{{"p50", "0.5"}, {"p90", "0.9"}, {"p95", "0.95"}, {"p99", "0.99"}}

const (
	measureLatency    = "latency"
	measureFirstToken = "timeToFirstToken"
)

func quantileMetrics() []metric {
	var metrics []metric
	for _, measure := range []string{measureLatency, measureFirstToken} {
		for _, q := range quantiles {
			metrics = append(metrics, metric{measure, q.aggregation})
		}
	}
	return metrics
}

const count = "count_count"

func readObservations(rows []row, n *names) *reading {
	r := newReading()
	for _, row := range rows {
		if row.amount(count) == 0 {
			continue // the only row of an empty project
		}
		typ, level := n.of(kindType, row.text("type")), n.of(kindLevel, row.text("level"))
		model, env := n.of(kindModel, row.text("providedModelName")), n.environment(row)
		r.sums[key{family: famObservations, a: typ, b: level, c: model, env: env}] += row.amount(count)
		if typ == "" || slices.Contains(usageTypes, typ) {
			r.tokens(key{family: famTokens, a: model, env: env}, row)
			r.cost(key{family: famCost, a: model, env: env}, row)
		}
	}
	return r
}

// tokens adds up those of the row, of which each kind gets a series: b of the key.
// Where none were reported there is none.
func (r *reading) tokens(k key, row row) {
	for kind, name := range map[string]string{kindInput: "sum_inputTokens", kindOutput: "sum_outputTokens"} {
		k.b = kind
		r.positive(k, row.amount(name))
	}
}

// cost adds up that of the row. What is neither input nor output makes up the
// whole, which counts: users may report parts that do not add up.
func (r *reading) cost(k key, row row) {
	for kind, v := range splitCost(row) {
		k.b = kind
		r.positive(k, v)
	}
}

// splitCost splits the cost of a row into parts that add up to it.
func splitCost(row row) map[string]float64 {
	input, output := row.amount("sum_inputCost"), row.amount("sum_outputCost")
	whole := row.amount("sum_totalCost")
	if !row.has("sum_totalCost") {
		whole = input + output
	}
	input = min(input, whole)
	output = min(output, whole-input)
	return map[string]float64{kindInput: input, kindOutput: output, kindOther: usd(whole - input - output)}
}

// positive adds what is more than nothing.
func (r *reading) positive(k key, v float64) {
	if v > 0 {
		r.sums.plus(k, v)
	}
}

func readTraces(rows []row, n *names) *reading {
	r := newReading()
	for _, row := range rows {
		r.sums[key{family: famTraces, env: n.environment(row)}] += row.amount(count)
	}
	if len(rows) == 0 { // that there were none is known
		r.sums[key{family: famTraces}] = 0
	}
	return r
}

// readRoots reads root observations, of which each trace has one.
func readRoots(rows []row, n *names) *reading {
	r := readTraces(rows, n)
	for _, row := range rows {
		env := n.environment(row)
		if v, ok := row.number("uniq_uniqueUserIds"); ok {
			r.values[key{family: famUsers, env: env}] = v
		}
		if v, ok := row.number("uniq_uniqueSessionIds"); ok {
			r.values[key{family: famSessions, env: env}] = v
		}
	}
	return r
}

// readDistinct counts the values of a dimension.
func readDistinct(name string, f family) func([]row, *names) *reading {
	return func(rows []row, n *names) *reading {
		r := newReading()
		if len(rows) == 0 {
			r.values[key{family: f}] = 0
		}
		for _, row := range rows {
			k := key{family: f, env: n.environment(row)}
			if row.text(name) != "" {
				r.values[k]++
			} else {
				r.values[k] += 0 // traces of nobody
			}
		}
		return r
	}
}

func readScores(rows []row, n *names) *reading {
	r := newReading()
	counts := make(totals)
	for _, row := range rows {
		number := row.amount(count)
		if number == 0 || row.text("name") == "" {
			continue
		}
		name, _ := n.score(row.text("name"), "")
		source, data, env := n.of(kindSource, row.text("source")), n.of(kindData, row.text("dataType")), n.environment(row)
		k := key{family: famScores, a: name, b: source, c: data, env: env}
		sum, ok := row.number("sum_value")
		if ok && data == dataBoolean { // 1 is true
			k.d = "true"
			r.positive(k, sum)
			k.d = "false"
			r.positive(k, number-sum)
		} else {
			r.sums[k] += number
		}
		if ok {
			k = key{family: famScoreSum, a: name, b: source, env: env}
			r.sums[k] += sum
			counts[k] += number
		}
	}
	for k, number := range counts {
		r.values[key{family: famScoreMean, a: k.a, b: k.b, env: k.env}] = r.sums[k] / number
	}
	return r
}

func readCategories(rows []row, n *names) *reading {
	r := newReading()
	for _, row := range rows {
		number := row.amount(count)
		if number == 0 || row.text("name") == "" {
			continue
		}
		name, value := n.score(row.text("name"), row.text("stringValue"))
		r.sums[key{family: famScores, a: name, b: n.of(kindSource, row.text("source")), c: dataCategorical, d: value, env: n.environment(row)}] += number
	}
	return r
}

func readLatency(rows []row, n *names) *reading {
	r := newReading()
	for _, row := range rows {
		model := row.text("providedModelName")
		if row.amount(count) == 0 || !n.fits(kindModel, model) {
			continue // quantiles of several models have no common one
		}
		for _, q := range quantiles {
			for measure, f := range map[string]family{measureLatency: famLatency, measureFirstToken: famFirstToken} {
				if ms, ok := row.number(q.aggregation + "_" + measure); ok && ms >= 0 {
					r.values[key{family: f, a: model, b: q.quantile}] = ms / 1000
				}
			}
		}
	}
	return r
}

func readUserUsage(rows []row, n *names) *reading {
	r := newReading()
	for _, row := range rows {
		if user := row.text("userId"); user != "" {
			user = n.of(kindUser, user)
			r.tokens(key{family: famUserTokens, a: user}, row)
			for _, v := range splitCost(row) {
				r.positive(key{family: famUserCost, a: user}, v)
			}
		}
	}
	return r
}

func readPrompts(rows []row, n *names) *reading {
	r := newReading()
	for _, row := range rows {
		name := row.text("promptName")
		if name == "" {
			continue
		}
		name, version := n.prompt(name, row.text("promptVersion"))
		r.positive(key{family: famPromptObservations, a: name, b: version}, row.amount(count))
		for kind, measure := range map[string]string{kindInput: "sum_inputTokens", kindOutput: "sum_outputTokens"} {
			r.positive(key{family: famPromptTokens, a: name, b: version, c: kind}, row.amount(measure))
		}
		for _, v := range splitCost(row) {
			r.positive(key{family: famPromptCost, a: name, b: version}, v)
		}
	}
	return r
}
