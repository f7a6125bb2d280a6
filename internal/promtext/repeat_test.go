package promtext

import (
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestCutBucket(t *testing.T) {
	const head, tail = `h_bucket{a="x",le="`, `",b="y"}`
	line := func(le, rest string) string { return head + le + tail + rest }
	for _, tt := range []struct {
		name, text   string
		bound, count float64
	}{
		{"a bucket", line("0.5", " 3.0\nh_count 1\n"), .5, 3},
		{"an exponent", line("1e+06", " 1.5E+3\n"), 1e6, 1500},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bound, count, n := cutBucket([]byte(tt.text), []byte(head), []byte(tail))
			assert.Equal(t, strings.IndexByte(tt.text, '\n')+1, n)
			assert.InDelta(t, tt.bound, bound, 0)
			assert.InDelta(t, tt.count, count, 0)
		})
	}
	for name, text := range map[string]string{
		"end of the text":     "",
		"another label":       `h_bucket{a="z",le="1",b="y"} 1` + "\n",
		"a label more":        `h_bucket{a="x",le="1",c="",b="y"} 1` + "\n",
		"a label after":       `h_bucket{a="x",le="1",b="y",c="z"} 1` + "\n",
		"another sample":      `h_count{a="x",b="y"} 1` + "\n",
		"no bound":            line("", " 1\n"),
		"a bound of NaN":      line("NaN", " 1\n"),
		"an escape":           line(`1\n`, " 1\n"),
		"an escaped quote":    line(`1\"`, " 1\n"),
		"no value":            line("1", "\n"),
		"a blank value":       line("1", " \n"),
		"a timestamp":         line("1", " 1 5\n"),
		"more blanks":         line("1", "  1\n"),
		"no blank":            line("1", "1\n"),
		"a carriage return":   line("1", " 1\r\n"),
		"two points":          line("1", " 1.1.1\n"),
		"a value of NaN":      line("1", " NaN\n"),
		"a hexadecimal value": line("1", " 0x1p-2\n"),
		"a value too large":   line("1", " 1e999\n"),
	} {
		t.Run(name, func(t *testing.T) {
			_, _, n := cutBucket([]byte(text), []byte(head), []byte(tail))
			assert.Zero(t, n)
		})
	}
}

// Whatever follows a bucket, the page is what it is with each line parsed by itself.
func TestRepeatedBuckets(t *testing.T) {
	const first = "# TYPE h histogram\nh_bucket{a=\"x\",le=\"1\",b=\"y\"} 1\n"
	const bucket = "h_bucket{a=\"x\",le=\"2\",b=\"y\"} 2\n"
	for name, rest := range map[string]string{
		"buckets":                bucket + strings.Replace(bucket, "2", "+Inf", 1) + "h_count{a=\"x\",b=\"y\"} 3\n",
		"the same bound twice":   bucket + bucket,
		"a bound out of order":   bucket + strings.Replace(bucket, "2", "0.5", 1),
		"a timestamp in between": bucket + strings.Replace(bucket, " 2", " 7 123", 1) + strings.Replace(bucket, "2", "3", 1),
		"values of words":        strings.Replace(bucket, " 2", " NaN", 1) + strings.Replace(bucket, "2", "3", 1),
		"another series":         bucket + strings.ReplaceAll(bucket, "x", "z") + bucket,
		"another order":          bucket + "h_bucket{b=\"y\",a=\"x\",le=\"3\"} 3\n" + "h_bucket{b=\"y\",a=\"x\",le=\"4\"} 4\n",
		"another family":         bucket + "# TYPE i histogram\n" + strings.ReplaceAll(bucket, "h_", "i_"),
		"comments":               "\n# text\n" + bucket + "\n\n" + bucket,
		"a bad bound":            bucket + strings.Replace(bucket, "2", "NaN", 1),
		"a bad value":            bucket + strings.Replace(bucket, " 2", " 1_0", 1),
		"a hexadecimal value":    bucket + strings.Replace(bucket, " 2", " 0x1p2", 1),
		"a line break in a name": bucket + strings.Replace(bucket, "y", "y\ny", 1),
		"an escape":              strings.Replace(bucket, "2", `2\"`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			for _, opts := range []Options{
				{},
				{Reduce: always(keep("a"))},
				{Keep: func(name []byte) bool { return string(name) != "h" }},
			} {
				p, err := Parse(strings.NewReader(first+rest), opts)
				want, wantErr := Parse(iotest.OneByteReader(strings.NewReader(first+rest)), opts)
				if wantErr != nil {
					require.ErrorIs(t, err, ErrSyntax)
					continue
				}
				require.NoError(t, err)
				assert.Equal(t, dump(want), dump(p))
				assert.Equal(t, want.Samples, p.Samples)
			}
		})
	}
}

func TestRepeatedQuantiles(t *testing.T) {
	p := parse(t, "# TYPE s summary\ns{quantile=\"0.5\"} 1\ns{quantile=\"0.9\"} 2\ns{quantile=\"0.99\"} NaN\ns_count 4\n")
	assert.Equal(t, "summary s\n  {} count=4 sum=0 0.5:1 0.9:2 0.99:NaN inf=NaN\n", dump(p))
	assert.Equal(t, 4, p.Samples)
}
