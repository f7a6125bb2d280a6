package langfusereceiver

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/scraper/scraperhelper"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
	"github.com/otelcol-llm/otelcol-llm/receiver/langfusereceiver/internal/metadata"
)

const (
	defaultInterval       = time.Minute
	defaultTimeout        = 30 * time.Second
	defaultWindow         = shortestWindow
	defaultIngestionDelay = 10 * time.Minute
	defaultBacklog        = day
	defaultMaxCatchUp     = 30 * day
	defaultMaxModels      = 200
	defaultMaxScores      = 500
	defaultMaxUsers       = 100
	defaultMaxPrompts     = 200

	defaultRetryFirst = 30 * time.Second
	defaultRetryMost  = 10 * time.Minute

	leastQueries = 5
)

// Config of the Langfuse receiver, which reads one project.
type Config struct {
	scraperhelper.ControllerConfig `mapstructure:",squash"`
	metadata.MetricsBuilderConfig  `mapstructure:",squash"`

	// Config: endpoint is the base URL, such as https://cloud.langfuse.com. Empty means
	// that nothing is read.
	apiclient.Config `mapstructure:",squash"`

	// Name is the service.instance.id. Empty means the name of the project.
	Name string `mapstructure:"name"`

	// PublicKey of the project, such as pk-lf-... Without both keys nothing is read.
	PublicKey string `mapstructure:"public_key"`

	// SecretKey of the project, such as sk-lf-...
	SecretKey configopaque.String `mapstructure:"secret_key"`

	// Storage is the extension that keeps the totals over restarts. Empty means that
	// counting begins anew with each.
	Storage *component.ID `mapstructure:"storage"`

	// Window is the wish for how long the windows are that are read. Where queries are
	// limited they are longer.
	Window time.Duration `mapstructure:"window"`

	// IngestionDelay is how long the server may take until queries see what happened.
	IngestionDelay time.Duration `mapstructure:"ingestion_delay"`

	// QueriesPerDay limits the queries of metrics in any 24 hours. 0 means none to
	// servers of one's own, and to Langfuse Cloud what its smallest plan allows.
	QueriesPerDay int `mapstructure:"queries_per_day"`

	// Backlog is how much of what happened before the first start is counted, in whole
	// days (UTC). It needs a storage.
	Backlog time.Duration `mapstructure:"backlog"`

	// MaxCatchUp is the longest outage after which what was missed is read.
	MaxCatchUp time.Duration `mapstructure:"max_catch_up"`

	// SplitByEnvironment counts each environment of the traces apart.
	SplitByEnvironment bool `mapstructure:"split_by_environment"`

	// MaxModels is how many models are counted apart; the others are "other".
	MaxModels int `mapstructure:"max_models"`

	// MaxScores is how many names and values of scores are counted apart.
	MaxScores int `mapstructure:"max_scores"`

	// MaxUsers is how many users are counted apart, if any are.
	MaxUsers int `mapstructure:"max_users"`

	// MaxPrompts is how many versions of prompts are counted apart, if any are.
	MaxPrompts int `mapstructure:"max_prompts"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var _ xconfmap.Validator = (*Config)(nil)

var (
	errKeys           = errors.New(`"public_key" and "secret_key" must both be set: Langfuse shows them in the settings of the project`)
	errPublicKey      = errors.New(`"public_key" must be the one that begins with pk-lf-: the keys seem to be swapped`)
	errEndpointPath   = errors.New(`"endpoint" must be the base URL of the server, without /api/public`)
	errInterval       = errors.New(`"collection_interval" must be at least 1s`)
	errTimeout        = errors.New(`"timeout" must be positive, such as 30s`)
	errWindow         = errors.New(`"window" must be from 5m to 24h`)
	errIngestionDelay = errors.New(`"ingestion_delay" must be from 0s to 24h`)
	errQueriesPerDay  = errors.New(`"queries_per_day" must be at least 5, or 0 for the default`)
	errBacklog        = errors.New(`"backlog" must be from 0s to "max_catch_up"`)
	errMaxCatchUp     = errors.New(`"max_catch_up" must be at least 48h`)
)

// Validate checks the receiver's own fields; the collector checks the embedded ones.
func (c *Config) Validate() error {
	var errs []error
	check := func(ok bool, err error) {
		if !ok {
			errs = append(errs, err)
		}
	}
	if c.Endpoint != "" {
		check((c.PublicKey == "") == (c.SecretKey == ""), errKeys)
		check(!strings.HasPrefix(c.PublicKey, "sk-"), errPublicKey)
		check(!strings.HasSuffix(strings.TrimSuffix(c.Endpoint, "/"), root), errEndpointPath)
	}
	check(c.CollectionInterval <= 0 || c.CollectionInterval >= time.Second, errInterval) // of less than 0 the collector speaks
	check(c.Config.Timeout != 0, errTimeout)
	check(c.Window >= shortestWindow && c.Window <= day, errWindow)
	check(c.IngestionDelay >= 0 && c.IngestionDelay <= day, errIngestionDelay)
	check(c.QueriesPerDay == 0 || c.QueriesPerDay >= leastQueries, errQueriesPerDay)
	check(c.Backlog >= 0 && c.Backlog <= c.MaxCatchUp, errBacklog)
	check(c.MaxCatchUp >= 2*day, errMaxCatchUp)
	for _, limit := range []struct {
		key   string
		value int
	}{
		{"max_models", c.MaxModels}, {"max_scores", c.MaxScores}, {"max_users", c.MaxUsers}, {"max_prompts", c.MaxPrompts},
	} {
		check(limit.value >= 1, fmt.Errorf(`%q must be at least 1`, limit.key))
	}
	return errors.Join(errs...)
}

// inert says why nothing is read, empty if something is.
func (c *Config) inert() string {
	switch {
	case c.Endpoint == "":
		return `No Langfuse project is read: "endpoint" is empty.`
	case c.PublicKey == "" && c.SecretKey == "":
		return `No Langfuse project is read: "public_key" and "secret_key" are empty.`
	}
	return ""
}

// queriesPerDay is the limit for the queries of an API, 0 if there is none.
func (c *Config) queriesPerDay(api apiName) int {
	host, _, _ := c.address()
	switch {
	case c.QueriesPerDay > 0:
		return c.QueriesPerDay
	case host != "langfuse.com" && !strings.HasSuffix(host, ".langfuse.com"):
		return 0
	case api == apiDaily:
		return hobbyDailyQueries
	}
	return hobbyQueries
}

// fingerprint stands for the project while only the key is known.
func (c *Config) fingerprint() string {
	sum := sha256.Sum256([]byte(c.Endpoint + "\x00" + c.PublicKey))
	return hex.EncodeToString(sum[:8])
}

// instance is the service.instance.id.
func (c *Config) instance(p project) string {
	switch {
	case c.Name != "":
		return c.Name
	case p.Name != "":
		return p.Name
	}
	host, port, path := c.address()
	return net.JoinHostPort(host, strconv.Itoa(port)) + path
}

// address is where the server is: host, port and the path prefix without its last
// slash.
func (c *Config) address() (host string, port int, path string) {
	u, err := url.Parse(c.Endpoint)
	if err != nil {
		return "", 0, ""
	}
	port, err = strconv.Atoi(u.Port())
	if err != nil {
		port = 80
		if u.Scheme == "https" {
			port = 443
		}
	}
	return u.Hostname(), port, strings.TrimSuffix(u.Path, "/")
}
