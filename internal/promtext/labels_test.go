package promtext

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSplitName(t *testing.T) {
	for _, tt := range []struct{ line, name, block string }{
		{`a`, `a`, ``},
		{` 	a`, `a`, ``},
		{`a{}`, `a`, ``},
		{`a{x="1"}`, `a`, `x="1"`},
		{`  a 	{ x="1" }`, `a`, ` x="1" `},
		{`a{x="{}"}`, `a`, `x="{}"`},
		{`{"a.b"}`, `a.b`, `"a.b"`},
		{` {x="1", "a.\"b\"" ,y="2"}`, `a."b"`, `x="1", "a.\"b\"" ,y="2"`},
	} {
		t.Run(tt.line, func(t *testing.T) {
			name, block := splitName([]byte(tt.line))
			assert.Equal(t, tt.name, string(name))
			assert.Equal(t, tt.block, string(block))
		})
	}
}

func TestNextLabel(t *testing.T) {
	for _, tt := range []struct {
		block string
		want  []string
	}{
		{``, nil},
		{` 	, `, nil},
		{`a="1"`, []string{`a=1`}},
		{`a="",b=""`, []string{`a=`, `b=`}},
		{`a="1",b="2",`, []string{`a=1`, `b=2`}},
		{` a = "1" ,	b	=	"2" , `, []string{`a=1`, `b=2`}},
		{`a="1"b="2"`, []string{`a=1`, `b=2`}},
		{`a="x\"y",b="\\",c="\\\"",d="1"`, []string{`a=x\"y`, `b=\\`, `c=\\\"`, `d=1`}},
		{`a="b=\"1\",c={}",d="="`, []string{`a=b=\"1\",c={}`, `d==`}},
		{`"a.b"="1","c\"d" = "2"`, []string{`a.b=1`, `c\"d=2`}},
		{`"a.b"`, []string{`a.b!`}},
		{`"a.b" , c="1"`, []string{`a.b!`, `c=1`}},
	} {
		t.Run(tt.block, func(t *testing.T) {
			var got []string
			for name, value, rest := nextLabel([]byte(tt.block)); name != nil; name, value, rest = nextLabel(rest) {
				if value == nil {
					got = append(got, string(name)+"!")
				} else {
					got = append(got, string(name)+"="+string(value))
				}
			}
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestUnescape(t *testing.T) {
	for text, want := range map[string]string{
		`plain`: "plain",
		`\"`:    `"`,
		`\\n`:   `\n`,
		`a\nb`:  "a\nb",
		`\x`:    `\x`,
		`\\\"`:  `\"`,
	} {
		assert.Equal(t, want, string(unescape([]byte(text))))
	}
}

func TestCutBound(t *testing.T) {
	for _, tt := range []struct {
		block, rest string
		bound       float64
	}{
		{`le="1"`, ``, 1},
		{`le="1.0",a="x"`, `a="x"`, 1},
		{`a="x",le="1e+06"`, `a="x"`, 1e6},
		{`a="x",le="0.5",b="y"`, `a="x",b="y"`, .5},
		{`a="x",le="0.5",`, `a="x",`, .5},
		{`a="x", le = "0.5" , b="y"`, `a="x" , b="y"`, .5},
		{`"a"="x","le"="0.5" `, `"a"="x" `, .5},
		{`"a" ,le="0.5"   `, `"a"    `, .5},
		{`a=",le=",le="2"`, `a=",le="`, 2},
		{`a=",le=\"1\"",le="2"`, `a=",le=\"1\""`, 2},
		{`ale="1",le="2",lea="3"`, `ale="1",lea="3"`, 2},
		{`"le",le="2"`, `"le"`, 2},
	} {
		t.Run(tt.block, func(t *testing.T) {
			rest, bound, err := newBuilder(Options{}).cutBound([]byte(tt.block), "le")
			require.NoError(t, err)
			assert.Equal(t, tt.rest, string(rest))
			assert.InDelta(t, tt.bound, bound, 0)
		})
	}
	for _, block := range []string{``, `a="1"`, `a=",le=\"1\""`, `le="NaN"`, `le=""`, `le="x"`, `le="1e999"`, `"le"`} {
		t.Run("no bound in "+block, func(t *testing.T) {
			_, _, err := newBuilder(Options{}).cutBound([]byte(block), "le")
			require.ErrorIs(t, err, ErrSyntax)
		})
	}
}
