package langfusereceiver

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
)

func fewNames() *names {
	cfg := createDefaultConfig().(*Config)
	cfg.MaxModels, cfg.MaxScores, cfg.MaxUsers, cfg.MaxPrompts = 2, 4, 2, 2
	return newNames(cfg)
}

func TestNames(t *testing.T) {
	n := fewNames()
	assert.Equal(t, "a", n.of(kindModel, "a"))
	assert.Equal(t, "b", n.of(kindModel, "b"))
	assert.Equal(t, overflow, n.of(kindModel, "c"))
	assert.Equal(t, "a", n.of(kindModel, "a"), "those that came first stay")
	assert.Empty(t, n.of(kindModel, ""), "no name needs no series of its own")
	assert.Equal(t, "a", n.of(kindUser, "a"), "each kind has its own limit")
	assert.Equal(t, []string{kindModel}, n.news())
	n.of(kindModel, "d")
	assert.Empty(t, n.news(), "that is known")

	is := func(wantName, wantValue, name, value string) {
		t.Helper()
		gotName, gotValue := n.score(name, value)
		assert.Equal(t, []string{wantName, wantValue}, []string{gotName, gotValue})
	}
	is("tone", "kind", "tone", "kind")
	is("tone", "rude", "tone", "rude")
	is("quality", "", "quality", "")
	is("tone", overflow, "tone", "sad")
	is("tone", "kind", "tone", "kind")
	is(overflow, "", "fresh", "x")
	is(overflow, "", "fresh", "")

	for i := range 60 {
		n.of(kindEnvironment, strconv.Itoa(i))
	}
	assert.Equal(t, overflow, n.of(kindEnvironment, "one more"), "also what is few usually")

	name, version := n.prompt("p", "1")
	assert.Equal(t, []string{"p", "1"}, []string{name, version})
	n.prompt("p", "2")
	name, version = n.prompt("p", "3")
	assert.Equal(t, []string{overflow, ""}, []string{name, version})
}

// TestNamesLearn: after a restart the same names have series as before.
func TestNamesLearn(t *testing.T) {
	t1 := totals{}
	before := fewNames()
	for i := range 10 {
		text := strconv.Itoa(i)
		rows := []row{{"providedModelName": text, "userId": text, "promptName": text, "name": text, "stringValue": text, "type": typeGeneration, "count_count": 1.0, "sum_totalCost": 1.0, "sum_value": 1.0}}
		for _, read := range []func([]row, *names) *reading{readObservations, readScores, readCategories, readUserUsage, readPrompts} {
			t1.add(read(rows, before).sums)
		}
	}
	after := fewNames()
	after.learn(t1)
	assert.Equal(t, before.known, after.known)
	assert.Contains(t, t1, key{family: famCost, a: overflow, b: kindOther})
	assert.Len(t, t1.of(famUserCost), 3)
	assert.Len(t, t1.of(famPromptCost), 3)
	assert.Equal(t, 10.0, sumOf(t1.of(famUserCost)), "nothing is lost")
	assert.Equal(t, 20.0, sumOf(t1.of(famScores)))
}

func sumOf(t totals) float64 {
	sum := 0.0
	for _, v := range t {
		sum += v
	}
	return sum
}
