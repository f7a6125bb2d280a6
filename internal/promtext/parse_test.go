package promtext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLimits(t *testing.T) {
	for _, tt := range []struct {
		name, page string
		opts       Options
		want       error
	}{
		{"page of the limit", "a 1\nb 2\n", Options{MaxBytes: 8}, nil},
		{"page above the limit", "a 1\nb 2\n", Options{MaxBytes: 7}, ErrTooLarge},
		{"line of the limit", "a 1\nb 2\nabcde 12\n", Options{MaxLine: 9}, nil},
		{"line above the limit", "a 1\nb 2\nabcde 123\n", Options{MaxLine: 9}, ErrLineTooLong},
		{"default limit of a line", "# " + strings.Repeat("x", 64<<10) + "\n", Options{}, ErrLineTooLong},
		{"long line", "a 1\n# " + strings.Repeat("x", 200_000) + "\nb 2\n", Options{MaxLine: 201_000}, nil},
		{"line of a long limit", strings.Repeat("x", 200_000-3) + " 1\n", Options{MaxLine: 200_000}, nil},
		{"line above a long limit", strings.Repeat("x", 200_000-2) + " 1\n", Options{MaxLine: 200_000}, ErrLineTooLong},
		{"very many blank lines after a long one", "# " + strings.Repeat("x", 1<<20) + strings.Repeat("\n", 2<<20), Options{MaxLine: 8 << 20}, nil},
		{"series of the limit", "a 1\nb 2\n", Options{MaxSeries: 2}, nil},
		{"series above the limit", "a{x=\"1\"} 1\na{x=\"2\"} 1\na{x=\"3\"} 1\n", Options{MaxSeries: 2}, ErrTooManySeries},
		{"a series twice counts once", "a 1\na 1\na 1\n", Options{MaxSeries: 1}, nil},
		{"a histogram counts once", "# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n", Options{MaxSeries: 1}, nil},
		{"families above the limit", "# TYPE a gauge\n# TYPE b gauge\n", Options{MaxSeries: 1}, ErrTooManySeries},
		{"cut before the last line break", "a 1\nb 2", Options{}, ErrTruncated},
		{"cut in the first line", "a", Options{}, ErrTruncated},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []io.Reader{
				strings.NewReader(tt.page),
				iotest.DataErrReader(strings.NewReader(tt.page)),
				iotest.HalfReader(strings.NewReader(tt.page)),
			} {
				p, err := Parse(r, tt.opts)
				require.ErrorIs(t, err, tt.want)
				assert.Equal(t, tt.want == nil, p != nil)
			}
		})
	}
}

func TestReaderErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, want := range []error{broken, io.ErrUnexpectedEOF} {
		_, err := Parse(io.MultiReader(strings.NewReader("a 1\n"), iotest.ErrReader(want)), Options{})
		require.ErrorIs(t, err, want)
	}
	_, err := Parse(iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("a 1\n"))), Options{})
	require.ErrorIs(t, err, iotest.ErrTimeout)
}

// endless repeats its text and counts what was read.
type endless struct {
	text string
	read int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.text[(e.read+i)%len(e.text)]
	}
	e.read += len(p)
	return len(p), nil
}

func TestEndlessReader(t *testing.T) {
	for _, tt := range []struct {
		text string
		want error
		most int
	}{
		{"a 1\n", ErrTooLarge, 1<<20 + chunkSize},
		{"a", ErrLineTooLong, 100_000},
		{"\n", ErrTooLarge, 1<<20 + chunkSize},
		{"\x00", ErrLineTooLong, 100_000},
	} {
		r := &endless{text: tt.text}
		_, err := Parse(r, Options{MaxBytes: 1 << 20, MaxLine: 100_000})
		require.ErrorIs(t, err, tt.want)
		assert.LessOrEqual(t, r.read, tt.most)
	}
}

func TestKeep(t *testing.T) {
	const page = `# TYPE a_total counter
a_total 1
# TYPE a_created gauge
a_created 2
# TYPE h histogram
h_bucket{le="1"} 1
h_bucket{le="+Inf"} 1
h_sum 1
h_count 1
# TYPE g gauge
g 1
g_sum 2
`
	for _, tt := range []struct {
		name, page string
		keep       []string
		want       string
		asked      string
	}{
		{
			"one", page,
			[]string{"g"},
			"gauge g\n  {} 1\n",
			"a_total a_created h g g_sum",
		},
		{
			"a counter with its start time", page,
			[]string{"a_total", "a_created"},
			"counter a_total\n  {} 1 created=2\n",
			"a_total a_created h g g_sum",
		},
		{
			"a name that begins with a skipped one", page,
			[]string{"g_sum"},
			"unknown g_sum\n  {} 2\n",
			"a_total a_created h g g_sum",
		},
		{"none", page, nil, "", "a_total a_created h g g_sum"},
		{
			"without TYPE", "a{x=\"1\"} 1\na{x=\"2\"} 2\nb 3\nb 4\nc 5\n",
			[]string{"a", "c"},
			"unknown a\n  {x=\"1\"} 1\n  {x=\"2\"} 2\nunknown c\n  {} 5\n", "a b c",
		},
		{
			"back to a kept family", "# TYPE h histogram\nh_sum 1\n# TYPE g gauge\ng 1\nh_count 2\n",
			[]string{"h"},
			"histogram h\n  {} count=2 sum=1 inf=NaN\n", "h g",
		},
		{
			"a bad line of a skipped family", "# TYPE h histogram\nh_bucket 1\nh_sum{x=\"1\",x=\"1\"} 1\nb 1\n",
			[]string{"b"},
			"unknown b\n  {} 1\n", "h b",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var asked []string
			p, err := Parse(strings.NewReader(tt.page), Options{Keep: func(name []byte) bool {
				asked = append(asked, string(name))
				return slices.Contains(tt.keep, string(name))
			}})
			require.NoError(t, err)
			assert.Equal(t, tt.want, dump(p))
			assert.Equal(t, tt.asked, strings.Join(asked, " "))
		})
	}
}

func TestChunks(t *testing.T) {
	const page = `# HELP h A histogram \\ with "help".
# TYPE h histogram
h_bucket{a="\"x\" ",le="1"} 1
h_bucket{a="\"x\" ",le="+Inf"} 2
h_sum{a="\"x\" "} 3.5e+010
h_count{a="\"x\" "} 2

# TYPE h_created gauge
h_created{a="\"x\" "} 1.5e+09
untyped{le="1"} 1 17
`
	want := dump(parse(t, page))
	for i := range page {
		p, err := Parse(io.MultiReader(strings.NewReader(page[:i]), strings.NewReader(page[i:])), Options{})
		require.NoError(t, err)
		require.Equal(t, want, dump(p), "cut at byte %d", i)
	}

	large := string(litellmPage()) // many chunks
	for name, text := range map[string]string{"small": page, "large": large} {
		want := dump(parse(t, text))
		for reader, wrap := range map[string]func(io.Reader) io.Reader{
			"one byte": iotest.OneByteReader,
			"half":     iotest.HalfReader,
			"data err": iotest.DataErrReader,
		} {
			t.Run(name+" "+reader, func(t *testing.T) {
				p, err := Parse(wrap(strings.NewReader(text)), Options{})
				require.NoError(t, err)
				require.Equal(t, want, dump(p))
				assert.EqualValues(t, len(text), p.Bytes)
			})
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"",
		"a 1\n",
		"# HELP h Help \\n.\n# TYPE h histogram\nh_bucket{a=\"x\",le=\"1\"} 1\nh_bucket{a=\"x\",le=\"+Inf\"} 2\nh_sum{a=\"x\"} 3\nh_count{a=\"x\"} 2\n",
		"# TYPE h histogram\nh_bucket{le=\"4\",} 3\nh_bucket{ le = \"1e+06\" } 3\nh_bucket{le=\"1\"} 1\nh_count 3\nh_bucket{a=\"y\",le=\"4\"} 1\n",
		"# TYPE s summary\ns{quantile=\"0.5\"} NaN\ns_sum 1\ns_count 1\n",
		"# TYPE c_total counter\nc_total{a=\"\\\"\\\\\\n\"} 1 17\n# TYPE c_created gauge\nc_created{a=\"\\\"\\\\\\n\"} 1.5e9\n",
		"# TYPE \"a.b\" histogram\n{\"a.b_bucket\",\"le\"=\"1\"} 1\n{\"a.b_count\"} 3\n",
		"a{x=\"\x00\"} 1\n\x00\n",
		"a{x=\"\n\"} 1\n",
		"{A} 1\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse(bytes.NewReader(text), Options{})
		p2, err2 := Parse(iotest.OneByteReader(bytes.NewReader(text)), Options{})
		require.Equal(t, err == nil, err2 == nil, "in one piece: %v; byte by byte: %v", err, err2)
		if err != nil {
			return
		}
		require.Equal(t, dump(p), dump(p2))
		checkPage(t, p)
	})
}

// checkPage checks what holds for every page.
func checkPage(tb testing.TB, p *Page) {
	tb.Helper()
	for i := range p.Families {
		fam := &p.Families[i]
		require.Same(tb, fam, p.Family(fam.Name))
		seen := map[string]bool{}
		for _, s := range fam.Series {
			require.False(tb, seen[s.Labels.String()], "%s %s is there twice", fam.Name, s.Labels)
			seen[s.Labels.String()] = true
			if h := s.Histogram; h != nil {
				require.Len(tb, h.Counts, len(h.Bounds))
				if h.Valid() {
					assertCopies(tb, h)
				}
			}
		}
	}
}

func ExampleParse() {
	page := `# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0"} 3
`
	p, err := Parse(strings.NewReader(page), Options{MaxBytes: 1 << 20})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range p.Family("vllm:num_requests_running").Series {
		fmt.Println(s.Labels.Get("engine"), s.Value)
	}
	// Output: 0 3
}
