package promtext

import (
	"io"
	"runtime"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// keysPage writes, without holding it, a page that has a counter of each of many keys,
// and a histogram of each of some.
type keysPage struct {
	counters, histograms int
	next                 int
	rest                 []byte
}

func (p *keysPage) Read(b []byte) (int, error) {
	n := copy(b, p.rest)
	p.rest = p.rest[:copy(p.rest, p.rest[n:])]
	for n < len(b) && p.next < p.counters+p.histograms {
		switch p.next {
		case 0:
			p.rest = append(p.rest, "# TYPE litellm_requests_total counter\n"...)
		case p.counters:
			p.rest = append(p.rest, "# TYPE litellm_latency histogram\n"...)
		}
		if p.next < p.counters {
			p.line("litellm_requests_total{", ",model=\"m\"} 1\n")
		} else {
			p.line("litellm_latency_bucket{", ",le=\"1.0\",model=\"m\"} 1\n")
			p.line("litellm_latency_count{", ",model=\"m\"} 1\n")
		}
		p.next++
		more := copy(b[n:], p.rest)
		p.rest = p.rest[:copy(p.rest, p.rest[more:])]
		n += more
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (p *keysPage) line(name, end string) {
	key := int64(p.next % p.counters)
	p.rest = append(append(p.rest, name...), `end_user="user-`...)
	p.rest = append(strconv.AppendInt(p.rest, key%7, 10), `",hashed_api_key="20e8d004`...)
	p.rest = append(append(strconv.AppendInt(p.rest, key, 10), '"'), end...)
}

// A million keys must cost the memory of the series that stay, not that of the page.
func TestReduceMemory(t *testing.T) {
	const keys, histograms = 1_000_000, 70_000
	users := NewValues(5, "other")
	r := keep("model")
	r.Keep["end_user"] = users
	page := &keysPage{counters: keys, histograms: histograms}
	most := uint64(0)
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before := m.HeapAlloc
	chunks := 0
	watch := func(b []byte) (int, error) {
		n, err := page.Read(b)
		if chunks++; chunks%200 == 0 || err != nil {
			runtime.GC()
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
		return n, err
	}
	p, err := Parse(readerFunc(watch), Options{MaxBytes: 1 << 30, Reduce: always(r)})
	require.NoError(t, err)
	assert.Less(t, int64(most)-int64(before), int64(8<<20))
	assert.Greater(t, p.Bytes, int64(64<<20))
	assert.Equal(t, keys+2*histograms, p.Samples)
	assert.Equal(t, 12, p.SeriesCount())
	total := 0.0
	for _, s := range p.Family("litellm_requests_total").Series {
		total += s.Value
	}
	assert.InDelta(t, keys, total, 0)
	assert.Equal(t, 2*(keys/7+histograms/7), users.Refused(), "users 5 and 6 of 7")
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }
