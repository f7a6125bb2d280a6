//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/prometheus/client_golang/api"
	promv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// prometheusConfig has the targets of the test under job "test", and Prometheus itself. Except for the intervals it
// leaves everything at Prometheus's defaults, name validation and content negotiation above all.
const prometheusConfig = `
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: prometheus
    static_configs: [{targets: [%q]}]
  - job_name: test
    static_configs: [{targets: %s}]
`

// prometheusServer is a Prometheus with an empty store.
type prometheusServer struct {
	*process
	URL string

	api promv1.API
}

// startPrometheus starts a Prometheus that scrapes /metrics of the targets (host:port) every second, for the first time
// after the 5 s by which its discovery delays targets.
func startPrometheus(t *testing.T, targets ...string) *prometheusServer {
	t.Helper()
	list, err := json.Marshal(append([]string{}, targets...)) // JSON is YAML; no targets are [], not null
	require.NoError(t, err)
	return runPrometheus(t, filepath.Join(t.TempDir(), "data"), func(address string) string { return fmt.Sprintf(prometheusConfig, address, list) })
}

// runPrometheus starts a Prometheus with a store; config is made of its own address.
func runPrometheus(t *testing.T, data string, configure func(address string) string) *prometheusServer {
	t.Helper()
	address := freeAddresses(t, 1)[0]
	config := filepath.Join(t.TempDir(), "prometheus.yml")
	require.NoError(t, os.WriteFile(config, []byte(configure(address)), 0o600))
	url := "http://" + address
	client, err := api.NewClient(api.Config{Address: url, Client: httpClient})
	require.NoError(t, err)
	p := &prometheusServer{
		process: startProcess(t, tool(t, "prometheus"), []string{
			"--config.file=" + config,
			"--storage.tsdb.path=" + data,
			"--web.listen-address=" + address,
		}),
		URL: url,
		api: promv1.NewAPI(client),
	}
	p.waitReady(url + "/-/ready")
	return p
}

// Query evaluates expr now. It takes what assert.CollectT also is, for use in require.EventuallyWithT.
func (p *prometheusServer) Query(t require.TestingT, expr string) model.Vector {
	value, warnings, err := p.api.Query(context.Background(), expr, model.Now().Time())
	require.NoError(t, err, expr)
	assert.Empty(t, warnings, expr)
	require.IsType(t, model.Vector{}, value, expr)
	return value.(model.Vector)
}
