package langfusereceiver

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTotalsJSON(t *testing.T) {
	before := totals{
		{family: famTokens, a: "m\x00\"x", b: kindInput, env: "prod"}: 1e15,
		{family: famCost, a: "m", b: kindOther}:                       0.1 + 0.2,
		{family: famTraces}:                                           0,
	}
	text, err := json.Marshal(before)
	require.NoError(t, err)
	var after totals
	require.NoError(t, json.Unmarshal(text, &after))
	assert.Equal(t, before, after, "to the last bit")
	assert.Error(t, json.Unmarshal([]byte(`{"a": 1}`), &after))
	text, err = json.Marshal(totals(nil))
	require.NoError(t, err)
	assert.Equal(t, "[]", string(text))
}

func TestCoarse(t *testing.T) {
	assert.Equal(t, totals{
		{family: famObservations, c: "m"}:         5,
		{family: famTokens, a: "m", b: kindInput}: 7,
		{family: famCost, a: "m", b: kindOther}:   3,
		{family: famTraces}:                       4,
	}, totals{
		{family: famObservations, a: "SPAN", b: "ERROR", c: "m", env: "a"}: 2,
		{family: famObservations, a: "SPAN", c: "m"}:                       3,
		{family: famTokens, a: "m", b: kindInput, env: "a"}:                7,
		{family: famCost, a: "m", b: kindInput}:                            1,
		{family: famCost, a: "m", b: kindOutput}:                           2,
		{family: famTraces, env: "a"}:                                      4,
		{family: famScores, a: "s"}:                                        9,
	}.coarse())
}

func TestLess(t *testing.T) {
	sums := totals{
		{family: famObservations, a: "GENERATION", c: "m"}: 2,
		{family: famObservations, a: "SPAN", c: "m"}:       4,
		{family: famObservations, a: "SPAN", c: "n"}:       1,
		{family: famScores, a: "s"}:                        1,
	}
	left := sums.less(totals{{family: famObservations, c: "m"}: 5, {family: famObservations, c: "n"}: 3})
	assert.Equal(t, totals{
		{family: famObservations, a: "GENERATION", c: "m"}: 0,
		{family: famObservations, a: "SPAN", c: "m"}:       1,
		{family: famObservations, a: "SPAN", c: "n"}:       0,
		{family: famScores, a: "s"}:                        1,
	}, sums)
	assert.Equal(t, totals{{family: famObservations, c: "m"}: 0, {family: famObservations, c: "n"}: 2}, left)
}

// TestStateIsNotChanged: who reads a published state sees it stand still.
func TestStateIsNotChanged(t *testing.T) {
	v := viewNamed(t, apiV2, viewObservations)
	first := newState()
	first.Cursors[v.name] = cursor{End: noon, Counted: totals{{family: famTokens, a: "m", b: kindInput}: 1}}
	r := newReading()
	r.sums[key{family: famTokens, a: "m", b: kindInput}] = 3
	second := first.clone()
	second.count(v, window{noon, noon.Add(time.Minute)}, r, false)
	before, err := json.Marshal(second)
	require.NoError(t, err)
	third := second.clone()
	third.count(v, window{noon.Add(time.Minute), noon.Add(2 * time.Minute)}, r, true)
	third.Lacks[apiV2] = third.Lacks[apiV2].with(v.name, "x")
	after, err := json.Marshal(second)
	require.NoError(t, err)
	assert.JSONEq(t, string(before), string(after))
	assert.Empty(t, first.Totals)
	assert.Equal(t, 2.0, sumOf(second.Totals), "one was counted before")
	assert.Equal(t, 5.0, sumOf(third.Totals))
	assert.Equal(t, 3.0, r.sums[key{family: famTokens, a: "m", b: kindInput}])
	assert.Equal(t, 5.0, sumOf(third.Days["2026-09-20"]))
}
