package simulator

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// clock is a time that only moves when told to.
type clock struct{ t time.Time }

func newClock() *clock { return &clock{t: time.Date(2026, 3, 1, 12, 0, 0, 250_000_000, time.UTC)} }

func (c *clock) now() time.Time { return c.t }

// parsed is a page read back: types by family and values by sample, both as written.
type parsed struct {
	types  map[string]string
	values map[string]string
	order  []string
}

func parse(t *testing.T, page []byte) parsed {
	t.Helper()
	p := parsed{types: map[string]string{}, values: map[string]string{}}
	require.True(t, strings.HasSuffix(string(page), "\n"))
	for line := range strings.Lines(string(page)) {
		line = strings.TrimSuffix(line, "\n")
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			name, typeName, _ := strings.Cut(rest, " ")
			require.NotContains(t, p.types, name)
			p.types[name] = typeName
			continue
		}
		if strings.HasPrefix(line, "# HELP ") {
			continue
		}
		space := strings.LastIndexByte(line, ' ')
		require.Positive(t, space, line)
		sample := line[:space]
		require.NotContains(t, p.values, sample)
		p.values[sample] = line[space+1:]
		p.order = append(p.order, sample)
	}
	return p
}

// value returns one sample as a number.
func (p parsed) value(t *testing.T, sample string) float64 {
	t.Helper()
	v, found := p.values[sample]
	require.True(t, found, sample)
	return number(t, v)
}

// sum adds up all samples of one name.
func (p parsed) sum(t *testing.T, name string) float64 {
	t.Helper()
	var total float64
	found := false
	for sample, v := range p.values {
		if sample == name || strings.HasPrefix(sample, name+"{") {
			total += number(t, v)
			found = true
		}
	}
	require.True(t, found, name)
	return total
}
