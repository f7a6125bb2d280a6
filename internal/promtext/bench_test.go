package promtext

import (
	"bytes"
	"fmt"
	"strings"
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

// keysPage100k is what a proxy with very many keys and users serves: 100,000 lines,
// 50 MB, the labels in the order of Python's client.
func keysPage100k() []byte {
	bounds := []string{
		"0.005", "0.0125", "0.025", "0.05", "0.1", "0.5", "1.0", "2.0", "3.0", "5.0",
		"10.0", "15.0", "20.0", "30.0", "60.0", "120.0", "300.0", "+Inf",
	}
	var w bytes.Buffer
	metric := func(name, typ string, series int) {
		fmt.Fprintf(&w, "# HELP %s What %s counts.\n# TYPE %s %s\n", name, name, name, typ)
		line := func(i int, suffix, le string, value any) {
			fmt.Fprintf(&w, `%s%s{api_key_alias="team-%d-service-%d",api_provider="openai",client_ip="10.0.%d.%d",end_user="customer-%d",`+
				`hashed_api_key="20e8d004577929152527b764a3652c3666134ee25ca5105d0e7dabe%09d",%smodel="hf.co/unsloth/Mistral-Small-3.2-24B-%d",`+
				`model_id="58af19c8493b46d98f8cfc09de7d19592cfc0441d65398c69bf8a15c0%07d",requested_model="model-%d",`+
				`route="/v1/chat/completions",status_code="200",team="5f3c9a54-7e8b-4d1c-9a51-%012d",team_alias="team-%d",user="default_user_id"} %v`+"\n",
				name, suffix, i%50, i%400, i%256, i%200, i%900, i%400, le, i%12, i%12, i%12, i%50, i%50, value)
		}
		for i := range series {
			if typ == "counter" {
				line(i, "", "", "17.0")
				continue
			}
			for j, bound := range bounds {
				line(i, "_bucket", `le="`+bound+`",`, float64(j))
			}
			line(i, "_count", "", len(bounds)-1)
			line(i, "_sum", "", 35.25)
		}
		name = strings.TrimSuffix(name, "_total")
		fmt.Fprintf(&w, "# HELP %s_created When.\n# TYPE %s_created gauge\n", name, name)
		for i := range series {
			line(i, "_created", "", "1.785050029460928e+09")
		}
	}
	for i := range 4 {
		metric(fmt.Sprintf("litellm_counter_%d_total", i), "counter", 2000)
	}
	for i := range 4 {
		metric(fmt.Sprintf("litellm_latency_metric_%d", i), "histogram", 1000)
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
	{"keys", keysPage100k},
}

func BenchmarkParse(b *testing.B) {
	for _, bb := range benchPages {
		b.Run(bb.name, func(b *testing.B) {
			text := bb.page()
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				_, err := Parse(bytes.NewReader(text), Options{MaxBytes: 64 << 20})
				require.NoError(b, err)
			}
		})
	}
}

// BenchmarkReduce keeps three labels of a dozen, one of them limited.
func BenchmarkReduce(b *testing.B) {
	for _, bb := range benchPages {
		b.Run(bb.name, func(b *testing.B) {
			text := bb.page()
			r := keep("model", "requested_model")
			r.Keep["team_alias"] = NewValues(20, "other")
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				_, err := Parse(bytes.NewReader(text), Options{MaxBytes: 64 << 20, Reduce: always(r)})
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
