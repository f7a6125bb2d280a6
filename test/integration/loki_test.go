//go:build integration

package integration

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// lokiLimit is Loki's default for the most entries in one answer (limits_config.max_entries_limit_per_query).
const lokiLimit = 5000

// lokiServer is a Loki with an empty store.
type lokiServer struct {
	*process
	URL string // OTLP goes to URL/otlp, pushes to URL/loki/api/v1/push
}

// Entry is one log line as Loki stored it.
type Entry struct {
	Labels             map[string]string
	StructuredMetadata map[string]string
	Line               string
	Time               time.Time
}

// startLoki starts a Loki in one process, configured by ../../tools/loki/loki.yaml.
func startLoki(t *testing.T) *lokiServer {
	t.Helper()
	addresses := freeAddresses(t, 2)
	_, httpPort, err := net.SplitHostPort(addresses[0])
	require.NoError(t, err)
	_, grpcPort, err := net.SplitHostPort(addresses[1])
	require.NoError(t, err)

	l := &lokiServer{
		process: startProcess(t, tool(t, "loki"),
			[]string{"-config.file=../../tools/loki/loki.yaml", "-config.expand-env=true"},
			"LOKI_HTTP_PORT="+httpPort, "LOKI_GRPC_PORT="+grpcPort, "LOKI_DIR="+t.TempDir()),
		URL: "http://" + addresses[0],
	}
	l.waitReady(l.URL + "/ready")
	return l
}

// Query returns the entries that a LogQL log query selects among those younger than since, oldest first in each
// stream. It takes what assert.CollectT also is, for use in require.EventuallyWithT.
func (l *lokiServer) Query(t require.TestingT, logql string, since time.Duration) []Entry {
	now := time.Now()
	query := url.Values{
		"query":     {logql},
		"start":     {strconv.FormatInt(now.Add(-since).UnixNano(), 10)},
		"end":       {strconv.FormatInt(now.UnixNano(), 10)},
		"limit":     {strconv.Itoa(lokiLimit)},
		"direction": {"forward"},
	}
	req, err := http.NewRequest(http.MethodGet, l.URL+"/loki/api/v1/query_range?"+query.Encode(), http.NoBody)
	require.NoError(t, err)
	// Without it Loki mixes structured metadata into the labels of the stream.
	req.Header.Set("X-Loki-Response-Encoding-Flags", "categorize-labels")
	resp, err := httpClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusOK, resp.StatusCode, logql)

	var answer struct {
		Data struct {
			Result []struct {
				Stream map[string]string `json:"stream"`
				Values []lokiValue       `json:"values"`
			} `json:"result"`
		} `json:"data"`
	}
	require.NoError(t, json.NewDecoder(resp.Body).Decode(&answer))

	var entries []Entry
	for _, stream := range answer.Data.Result {
		for _, v := range stream.Values {
			entries = append(entries, Entry{stream.Stream, v.structuredMetadata, v.line, v.time})
		}
	}
	require.Less(t, len(entries), lokiLimit, "Loki may have cut the answer to %s", logql)
	return entries
}

// lokiValue is an entry in a stream: ["<unix ns>", "<line>", {"structuredMetadata": {...}}].
type lokiValue struct {
	time               time.Time
	line               string
	structuredMetadata map[string]string
}

// UnmarshalJSON implements json.Unmarshaler.
func (v *lokiValue) UnmarshalJSON(data []byte) error {
	var nanos string
	var categories struct {
		StructuredMetadata map[string]string `json:"structuredMetadata"`
	}
	if err := json.Unmarshal(data, &[]any{&nanos, &v.line, &categories}); err != nil {
		return err
	}
	ns, err := strconv.ParseInt(nanos, 10, 64)
	if err != nil {
		return fmt.Errorf("time of an entry: %w", err)
	}
	v.time = time.Unix(0, ns)
	v.structuredMetadata = categories.StructuredMetadata
	return nil
}
