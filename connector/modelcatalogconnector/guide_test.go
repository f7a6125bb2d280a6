package modelcatalogconnector

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// guideTable returns the rows of a table in docs/model-catalog.md, without the code
// marks. head is how its first line begins.
func guideTable(t *testing.T, head string, columns int) [][]string {
	t.Helper()
	guide, err := os.ReadFile(filepath.Join("..", "..", "docs", "model-catalog.md"))
	require.NoError(t, err)
	_, table, found := strings.Cut(string(guide), "\n"+head)
	require.True(t, found, head)
	table, _, _ = strings.Cut(table, "\n\n")
	var rows [][]string
	for _, line := range strings.Split(table, "\n")[2:] {
		cells := strings.Split(strings.Trim(line, "| "), " | ")
		require.Len(t, cells, columns, line)
		for i := range cells {
			cells[i] = strings.ReplaceAll(cells[i], "`", "")
		}
		rows = append(rows, cells)
	}
	return rows
}

// TestGuideStates plays each row of the table of states.
func TestGuideStates(t *testing.T) {
	rows := guideTable(t, "| `litellm.up` |", 6)
	seen := map[string]bool{}
	for _, row := range rows {
		up, state, healthy, server, names, want := row[0], row[1], row[2], row[3], row[4], row[5]
		seen[want] = true
		t.Run(strings.Join(row, " "), func(t *testing.T) {
			p := newProbe(t)
			b := newBatch()
			entry := "served"
			if server != "-" {
				b.vllm("one", 8000).gauge("vllm.model.info{gen_ai.request.model=served}", 1)
				for of := range stateOfServer {
					b.gauge("vllm.server.state{vllm.server.state="+of+"}", bit(of == server))
				}
			}
			if up != "-" || state != "-" {
				if names != "same" {
					entry = "public"
				}
				offers(b.litellm(), "1", entry, "served", "vllm", "gpu-1:8000")
				if up != "-" {
					b.gauge("litellm.up", bit(up == "1"))
				}
				if state != "-" {
					for of := range stateOfDeployment {
						b.gauge("litellm.deployment.state{litellm.deployment.id=1, litellm.deployment.state="+of+"}", bit(of == state))
					}
				}
				if healthy != "-" {
					b.gauge("litellm.deployment.healthy{litellm.deployment.id=1}", bit(healthy == "1"))
				}
			}
			p.feed(t, b)
			r := p.read(t)
			assert.Equal(t, []string{entry}, r.models())
			assert.Equal(t, want, r.state(entry))
			assert.Len(t, states, 4)
			for _, of := range states {
				assert.Contains(t, r.values, "llm.model.state{gen_ai.request.model="+entry+", llm.model.state="+of.String()+"}")
			}
			if up == "0" && want == "available" {
				assert.Contains(t, r.info(t, entry), "llm.model.endpoint=http://gpu-1:8000,", "where it answers")
			}
		})
	}
	assert.Len(t, seen, len(states), "every state has an example")
}

func bit(b bool) float64 { return float64(number01(b)) }

// TestGuideSeveral plays the table of several servers.
func TestGuideSeveral(t *testing.T) {
	for _, row := range guideTable(t, "| one | other |", 3) {
		t.Run(strings.Join(row, " "), func(t *testing.T) {
			p := newProbe(t)
			b := newBatch()
			for i, state := range row[:2] {
				b.vllm("server-"+strconv.Itoa(i), 8000+i).gauge("vllm.model.info{gen_ai.request.model=qwen}", 1)
				b.gauge("vllm.server.state{vllm.server.state="+state+"}", 1)
			}
			offers(b.litellm(), "1", "chat", "qwen", "vllm", "elsewhere:80") // it may be either of them
			p.feed(t, b)
			assert.Equal(t, row[2], p.read(t).state("chat"))
		})
	}
}

// TestGuideEntries plays the example.
func TestGuideEntries(t *testing.T) {
	p := newProbe(t)
	b := newBatch()
	for _, row := range guideTable(t, "| server | address |", 4) {
		host, port, _ := strings.Cut(row[1], ":")
		b.resource("service.name=vllm, service.instance.id=" + row[0] + ", server.address=" + host + ", server.port=" + port)
		serves(b, row[2], ", service.version="+row[3])
	}
	b.resource("service.name=litellm, service.instance.id=proxy, server.address=proxy, server.port=4000").gauge("litellm.up", 1)
	for _, row := range guideTable(t, "| deployment | public name |", 5) {
		offers(b, row[0], row[1], row[2], row[3], row[4])
	}
	p.feed(t, b)
	r := p.read(t)
	rows := guideTable(t, "| entry | served name |", 7)
	assert.Len(t, r.models(), len(rows))
	for _, row := range rows {
		var want []string
		for _, attribute := range []string{
			"gen_ai.operation.name=" + row[2], "gen_ai.provider.name=" + row[3], "llm.model.endpoint=" + row[6],
			"llm.model.origins=" + row[4], "llm.model.served_name=" + row[1], "service.version=" + row[5],
		} {
			if !strings.HasSuffix(attribute, "=-") {
				want = append(want, attribute)
			}
		}
		assert.Equal(t, strings.Join(want, ", "), r.info(t, row[0]))
	}
}

// TestGuideTokens plays the worked example of the counters.
func TestGuideTokens(t *testing.T) {
	p := newProbe(t)
	number := func(s string) int64 {
		n, err := strconv.ParseInt(s, 10, 64)
		require.NoError(t, err)
		return n
	}
	began := time.Now().Add(-time.Hour)
	for i, row := range guideTable(t, "| reading | vLLM", 7) {
		b := newBatch()
		b.at, b.began = time.Now().Add(time.Duration(i)*time.Minute), began
		if i == 2 { // the restart
			b.began = b.at.Add(-30 * time.Second)
		}
		serves(b.vllm("one", 8000), "qwen", "").sum("vllm.tokens.input{gen_ai.request.model=qwen}", number(row[1]))
		b.began = began
		offers(b.litellm(), "1", "chat", "qwen", "vllm", "").sum("litellm.tokens.input{gen_ai.request.model=chat, gen_ai.response.model=qwen}", number(row[2]))
		b.langfuse().sum("langfuse.tokens{gen_ai.request.model=chat, gen_ai.token.type=input}", number(row[3]))
		p.feed(t, b)
		r := p.read(t)
		for j, origin := range []string{"vllm", "litellm", "langfuse"} {
			assert.InDelta(t, number(row[4+j]), r.tokens("qwen", "input", origin), 0, "reading %s of %s", row[0], origin)
		}
	}
}
