package promtext

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestFamilies(t *testing.T) {
	for _, tt := range []struct{ name, page, want string }{
		{"empty page", "", ""},
		{"blank lines and comments", "\n \n# a comment\n#\n#x\n\t\n", ""},
		{"every type", `# HELP c_total Escapes: \\ and \n and "quotes".
# TYPE c_total counter
c_total{a="1"} 3
c_total{a="2"} 4
# TYPE g gauge
g -1.5
# TYPE u untyped
u 7
# TYPE h histogram
h_bucket{le="1"} 2
h_bucket{le="+Inf"} 3
h_sum 4.5
h_count 3
# TYPE s summary
s{quantile="0.5"} 10
s{quantile="0.99"} NaN
s_sum 30
s_count 2
# TYPE s2 summary
s2_sum{a="1"} 1
s2_count{a="1"} 2
# TYPE none gauge
`, `counter c_total
  {a="1"} 3
  {a="2"} 4
gauge g
  {} -1.5
unknown u
  {} 7
histogram h
  {} count=3 sum=4.5 1:2 inf=3
summary s
  {} count=2 sum=30 0.5:10 0.99:NaN inf=NaN
summary s2
  {a="1"} count=2 sum=1 inf=NaN
gauge none
`},
		{"no TYPE lines", `c_total 3
h_bucket{le="1"} 2
h_bucket{le="+Inf"} 3
h_sum 4
g 1
c_total{a="1"} 4
`, `unknown c_total
  {} 3
  {a="1"} 4
unknown h_bucket
  {le="1"} 2
  {le="+Inf"} 3
unknown h_sum
  {} 4
unknown g
  {} 1
`},
		{"numbers", `a 3.5e+010
b +Inf
c -Inf
d NaN
e 1E3
f -0.5
`, `unknown a
  {} 3.5e+10
unknown b
  {} +Inf
unknown c
  {} -Inf
unknown d
  {} NaN
unknown e
  {} 1000
unknown f
  {} -0.5
`},
		{"timestamps and blanks", "a 1 1700000000000\n  a{ x = \"1\" , } \t 2\t5\n\ta {x=\"2\"} 3\n", `unknown a
  {} 1
  {x="1"} 2
  {x="2"} 3
`},
		{"escapes and label order", `a{x="\"q\" \\ \n {},=",y=""} 1
a{y="",x="\"q\" \\ \n {},="} 2
a{x="ü"} 3
`, `unknown a
  {x="\"q\" \\ \n {},=", y=""} 2
  {x="ü"} 3
`},
		{"UTF-8 names", `# TYPE "my.histo\"gram" histogram
{"my.histo\"gram_bucket",le="1","a.b"="x"} 1
{"my.histo\"gram_bucket","a.b"="x","le"="+Inf"} 2
{"a.b"="x","my.histo\"gram_count"} 2
{"my.histo\"gram_sum" , "a.b" = "x" , } 3
# TYPE "my.gauge" gauge
 {"my.gauge"} 4
`, `histogram my.histo"gram
  {"a.b"="x"} count=2 sum=3 1:1 inf=2
gauge my.gauge
  {} 4
`},
		{"le in every place", `# TYPE h histogram
h_bucket{le="1",a="x",b="y"} 1
h_bucket{a="x",le="2",b="y"} 2
h_bucket{a="x",b="y",le="1e+06"} 3
h_bucket{ b="y" , a="x" , le = "+Inf" , } 4
h_sum{b="y",a="x"} 5
h_count{a="x",b="y",} 4
`, `histogram h
  {a="x", b="y"} count=4 sum=5 1:1 2:2 1e+06:3 inf=4
`},
		{"le inside another value", `# TYPE h histogram
h_bucket{a=",le=",le="1"} 1
h_bucket{a=",le=\"7\"",le="2"} 2
h_bucket{le="3",a=",le="} 3
h_count{a=",le="} 3
`, `histogram h
  {a=",le="} count=3 sum=0 1:1 3:3 inf=NaN
  {a=",le=\"7\""} count=0 sum=0 2:2 inf=NaN
`},
		{"quantile on a histogram, le on a summary", `# TYPE h histogram
h_bucket{quantile="q",le="1"} 1
h_count{quantile="q"} 1
# TYPE s summary
s{quantile="0.5",le="l"} 1
s_count{le="l"} 1
`, `histogram h
  {quantile="q"} count=1 sum=0 1:1 inf=NaN
summary s
  {le="l"} count=1 sum=0 0.5:1 inf=NaN
`},
		{"a label le without a type keeps its text", `# TYPE h histogram
h_bucket{le="1"} 1
other{le="1"} 2
`, `histogram h
  {} count=0 sum=0 1:1 inf=NaN
unknown other
  {le="1"} 2
`},
		{"buckets out of order and twice", `# TYPE h histogram
h_bucket{le="4"} 4
h_bucket{le="1"} 1
h_bucket{le="+Inf"} 5
h_bucket{le="2"} 2
h_bucket{le="1"} 0
h_bucket{a="x",le="4"} 4
h_bucket{a="x",le="1"} 1
h_count 5
`, `histogram h
  {} count=5 sum=0 1:0 2:2 4:4 inf=5
  {a="x"} count=0 sum=0 1:1 4:4 inf=NaN
`},
		{"a late bucket leaves the bounds of others alone", `# TYPE h histogram
h_bucket{a="x",le="1"} 1
h_bucket{a="x",le="2"} 2
h_bucket{a="x",le="8"} 3
h_bucket{a="y",le="1"} 1
h_bucket{a="y",le="2"} 2
h_bucket{a="y",le="8"} 3
h_bucket{a="x",le="4"} 2
`, `histogram h
  {a="x"} count=0 sum=0 1:1 2:2 4:2 8:3 inf=NaN
  {a="y"} count=0 sum=0 1:1 2:2 8:3 inf=NaN
`},
		{"series interleaved, with bounds of their own", `# TYPE h histogram
h_bucket{a="x",le="1"} 1
h_bucket{a="y",le="1"} 2
h_bucket{a="z",le="3"} 3
h_bucket{a="x",le="2"} 4
h_bucket{a="y",le="5"} 5
h_sum{a="y"} 6
h_sum{a="x"} 7
h_count{a="w"} 8
h_count{a="z"} 9
`, `histogram h
  {a="x"} count=0 sum=7 1:1 2:4 inf=NaN
  {a="y"} count=0 sum=6 1:2 5:5 inf=NaN
  {a="z"} count=9 sum=0 3:3 inf=NaN
  {a="w"} count=8 sum=0 inf=NaN
`},
		{"families twice and interleaved", `# TYPE h histogram
h_sum 1
# TYPE g gauge
g 1
h_count 2
# TYPE h gauge
h_bucket{le="1"} 2
# TYPE g gauge
g{a="x"} 2
g 3
`, `histogram h
  {} count=2 sum=1 1:2 inf=NaN
gauge g
  {} 3
  {a="x"} 2
`},
		{"suffixes that are names", `# TYPE x_sum gauge
x_sum 1
# TYPE x histogram
x_sum 2
# TYPE x_count gauge
x_count 3
# TYPE y counter
y 4
y_sum 5
y_bucket{le="1"} 6
y_bucketful 7
`, `gauge x_sum
  {} 1
histogram x
  {} count=0 sum=2 inf=NaN
gauge x_count
  {} 3
counter y
  {} 4
unknown y_sum
  {} 5
unknown y_bucket
  {le="1"} 6
unknown y_bucketful
  {} 7
`},
		{"start times", `# TYPE a_total counter
a_total{x="1"} 1
a_total{x="2"} 2
# TYPE a_created gauge
a_created{x="1"} 1.5e9
a_created{x="3"} 1.6e9
# TYPE b counter
b 1
# TYPE b_created gauge
b_created 1
# TYPE iteration_tokens_total_created gauge
iteration_tokens_total_created{a="x"} 2
# TYPE iteration_tokens_total histogram
iteration_tokens_total_bucket{a="x",le="+Inf"} 1
iteration_tokens_total_count{a="x"} 1
# TYPE s summary
s_count 1
# TYPE s_created gauge
s_created 3
`, `counter a_total
  {x="1"} 1 created=1.5e+09
  {x="2"} 2
counter b
  {} 1 created=1
histogram iteration_tokens_total
  {a="x"} count=1 sum=0 inf=1 created=2
summary s
  {} count=1 sum=0 inf=NaN created=3
`},
		{"no start times", `# TYPE sessions_created gauge
sessions_created 1
# TYPE g gauge
g 1
# TYPE g_created gauge
g_created 2
u 3
# TYPE u_created gauge
u_created 4
# TYPE c counter
c 5
# TYPE c_created counter
c_created 6
# TYPE _created gauge
_created 7
`, `gauge sessions_created
  {} 1
gauge g
  {} 1
gauge g_created
  {} 2
unknown u
  {} 3
gauge u_created
  {} 4
counter c
  {} 5
counter c_created
  {} 6
gauge _created
  {} 7
`},
		{"NUL", "a{x=\"1\x00\"} 1\n#\x00\n# HELP b \x00\nb 2\n", "unknown a\n  {x=\"1\\x1a\"} 1\nunknown b\n  {} 2\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := parse(t, tt.page)
			assert.Equal(t, tt.want, dump(p))
			assert.EqualValues(t, len(tt.page), p.Bytes)
		})
	}
}

func TestSyntaxErrors(t *testing.T) {
	for name, page := range map[string]string{
		"no value":                   "a\n",
		"no number":                  "a b\n",
		"more after the timestamp":   "a 1 2 3\n",
		"CRLF":                       "a 1\r\n",
		"CRLF after a type":          "# TYPE a gauge\r\na 1\n",
		"unknown type":               "# TYPE a info\n",
		"type without name":          "# TYPE \n",
		"type of an empty name":      "# TYPE \"\" gauge\n",
		"empty name":                 "{\"\"} 1\n",
		"no name":                    "{a=\"1\"} 1\n",
		"name without quotes":        "{a} 1\n",
		"name without quotes, first": "{a,x=\"1\"} 1\n",
		"name without quotes, last":  "{x=\"1\",a} 1\n",
		"two names":                  "a{\"b\"} 1\n",
		"label name":                 "a{ü=\"1\"} 1\n",
		"open label":                 "a{x=\"1} 1\n",
		"open brace":                 "a{x=\"1\" 1\n",
		"label not UTF-8":            "a{x=\"\xff\"} 1\n",
		"label twice":                "a{x=\"1\",x=\"1\"} 1\n",
		"empty label name":           "a{\"\"=\"1\"} 1\n",
		"reserved label":             "a{__name__=\"b\"} 1\n",
		"bucket without le":          "# TYPE a histogram\na_bucket{x=\"1\"} 1\n",
		"bucket with a bad le":       "# TYPE a histogram\na_bucket{le=\"NaN\"} 1\n",
		"quantile missing":           "# TYPE a summary\na 1\n",
		"histogram's own name":       "# TYPE a histogram\na 1\n",
		"histogram's own name, late": "# TYPE a histogram\na_sum 1\n# TYPE b gauge\nb 1\na{le=\"1\"} 1\n",
		"line break in a label":      "a{x=\"1\n2\"} 1\n",
		"line break in a type":       "# TYPE \"a\nb\" gauge\n",
		"line break in a help":       "# HELP \"a\nb\" help\n",
		"NUL before a line":          "a 1\n\x00b 2\n",
		"NUL after a line":           "a 1\x00\n",
	} {
		t.Run(name, func(t *testing.T) {
			p, err := Parse(strings.NewReader(page), Options{})
			require.ErrorIs(t, err, ErrSyntax)
			assert.Nil(t, p)
		})
	}
}

func TestSyntaxErrorIsShort(t *testing.T) {
	_, err := Parse(strings.NewReader("a{x=\""+strings.Repeat("secret ", 5000)+"\n"), Options{})
	require.ErrorIs(t, err, ErrSyntax)
	assert.Less(t, len(err.Error()), 300)
}

func TestBoundsAreShared(t *testing.T) {
	f := parse(t, `# TYPE h histogram
h_bucket{a="x",le="1"} 1
h_bucket{a="x",le="2"} 1
h_bucket{a="y",le="1"} 1
h_bucket{a="y",le="2"} 1
`).Family("h")
	assert.Same(t, &f.Series[0].Histogram.Bounds[0], &f.Series[1].Histogram.Bounds[0])
}

// One histogram with very many buckets, in the worst order, must cost neither
// time that grows with its square nor memory in each series that follows.
func TestHugeHistogram(t *testing.T) {
	const buckets, series = 100_000, 2000
	var page strings.Builder
	page.WriteString("# TYPE h histogram\n")
	for i := range buckets {
		fmt.Fprintf(&page, "h_bucket{le=\"%d\"} 1\n", buckets-i)
	}
	for i := range series {
		fmt.Fprintf(&page, "h_count{a=\"%d\"} 1\n", i)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p := parse(t, page.String())
	runtime.ReadMemStats(&after)
	assert.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(64<<20))
	assert.Len(t, p.Family("h").Series, series+1)
	assert.IsIncreasing(t, p.Family("h").Series[0].Histogram.Bounds)
}
