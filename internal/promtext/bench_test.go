package promtext

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"
)

// pageWriter writes pages the way Python's client does.
type pageWriter struct{ bytes.Buffer }

func (w *pageWriter) metric(name, typ string, blocks []string) {
	fmt.Fprintf(w, "# HELP %s What %s counts.\n# TYPE %s %s\n", name, name, name, typ)
	for i, block := range blocks {
		if typ == "histogram" {
			count := 0
			for j, le := range []string{"0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf"} {
				count += (i + j) % 7
				fmt.Fprintf(w, "%s_bucket{%s,le=%q} %d.0\n", name, block, le, count)
			}
			fmt.Fprintf(w, "%s_count{%s} %d.0\n%s_sum{%s} %g\n", name, block, count, name, block, float64(count)*1.5)
			continue
		}
		fmt.Fprintf(w, "%s{%s} %d.0\n", name, block, i)
	}
	if typ != "gauge" {
		fmt.Fprintf(w, "# HELP %s_created When.\n# TYPE %s_created gauge\n", name, name)
		for _, block := range blocks {
			fmt.Fprintf(w, "%s_created{%s} 1.785050029460928e+09\n", name, block)
		}
	}
}

// vllmPage is about as large as the page of one vLLM server.
func vllmPage() []byte {
	var w pageWriter
	blocks := []string{`engine="0",model_name="meta-llama/Llama-3.1-8B"`, `engine="1",model_name="meta-llama/Llama-3.1-8B"`}
	for i := range 50 {
		w.metric(fmt.Sprintf("vllm:metric_%d", i), []string{"gauge", "counter", "histogram"}[i%3], blocks)
	}
	return w.Bytes()
}

// litellmPage is a page of long label blocks, which every metric repeats.
func litellmPage() []byte {
	var w pageWriter
	var blocks []string
	for i := range 100 {
		blocks = append(blocks, fmt.Sprintf(`api_key_alias="key-%d",end_user="None",hashed_api_key="20e8d004577929152527b764a3652c3666134ee25ca5105d0e7dabe%09d",`+
			`model="hf.co/unsloth/Mistral-Small-3.2-24B",requested_model="model-%d",team="team-%d",user="default_user_id"`, i, i, i%10, i%20))
	}
	for i := range 24 {
		w.metric(fmt.Sprintf("litellm_metric_%d", i), []string{"gauge", "counter", "histogram"}[i%3], blocks[:len(blocks)-i])
	}
	return w.Bytes()
}

// manyPage has no label block twice.
func manyPage() []byte {
	var w pageWriter
	for i := range 8 {
		var blocks []string
		for j := range 6000 {
			blocks = append(blocks, fmt.Sprintf(`hashed_api_key="%d-7929152527b764a3652c3666134e",requested_model="model-%d",team="team-%d"`, i, j, j%20))
		}
		w.metric(fmt.Sprintf("litellm_gauge_%d", i), "gauge", blocks)
	}
	return w.Bytes()
}

var benchPages = []struct {
	name string
	page func() []byte
}{
	{"vllm", vllmPage},
	{"litellm", litellmPage},
	{"many", manyPage},
}

func BenchmarkParse(b *testing.B) {
	for _, bb := range benchPages {
		b.Run(bb.name, func(b *testing.B) {
			text := bb.page()
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				_, err := Parse(bytes.NewReader(text), Options{})
				require.NoError(b, err)
			}
		})
	}
}

func BenchmarkExpfmt(b *testing.B) {
	for _, bb := range benchPages {
		b.Run(bb.name, func(b *testing.B) {
			text := bb.page()
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				parser := expfmt.NewTextParser(model.UTF8Validation)
				_, err := parser.TextToMetricFamilies(bytes.NewReader(text))
				require.NoError(b, err)
			}
		})
	}
}
