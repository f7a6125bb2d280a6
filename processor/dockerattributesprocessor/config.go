package dockerattributesprocessor

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.opentelemetry.io/collector/pipeline"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/processor/dockerattributesprocessor/internal/metadata"
)

const defaultWait = 10 * time.Second

// Config of the Docker attributes processor.
type Config struct {
	// Docker says which engine to ask and how much to remember. Components with
	// equal settings share one watcher.
	Docker docker.Config `mapstructure:"docker"`

	// Extract says what to add.
	Extract ExtractConfig `mapstructure:"extract"`

	// Association says by what telemetry belongs to a container. The first that
	// finds one counts. Those of log records and data points are tried on their own.
	Association []AssociationConfig `mapstructure:"association"`

	// Exclude names containers whose telemetry is left as it is.
	Exclude ExcludeConfig `mapstructure:"exclude"`

	// ServiceName says where service.name is set.
	ServiceName ServiceNameConfig `mapstructure:"service_name"`

	// Override replaces attributes that are already there. Without it only those
	// are set that are absent or empty.
	Override bool `mapstructure:"override"`

	// RemoveContainerID removes container.id from what was enriched: a name
	// survives restarts, an id does not.
	RemoveContainerID bool `mapstructure:"remove_container_id"`

	// WaitForMetadata lets the start wait until the containers are known, at most
	// for WaitForMetadataTimeout. The start never fails because of that.
	WaitForMetadata bool `mapstructure:"wait_for_metadata"`

	// WaitForMetadataTimeout is how long the start waits at most.
	WaitForMetadataTimeout time.Duration `mapstructure:"wait_for_metadata_timeout"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ExtractConfig says what to add.
type ExtractConfig struct {
	// Metadata are the names of attributes, see documentation.md. What a container
	// does not have is not added.
	Metadata []string `mapstructure:"metadata"`

	// Labels are labels of the container to add.
	Labels []LabelConfig `mapstructure:"labels"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// LabelConfig chooses labels of a container.
type LabelConfig struct {
	// TagName is the attribute to set. Empty means container.label.<label>. With
	// KeyRegex it may refer to groups, such as $1.
	TagName string `mapstructure:"tag_name"`

	// Key is the name of the label.
	Key string `mapstructure:"key"`

	// KeyRegex is matched with the whole name of every label, instead of Key.
	KeyRegex string `mapstructure:"key_regex"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// AssociationConfig is one way to find a container.
type AssociationConfig struct {
	// Sources must all be there and name the same container. They come from one place.
	Sources []SourceConfig `mapstructure:"sources"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// SourceConfig is an attribute that identifies a container.
type SourceConfig struct {
	// From is where the attribute is: resource_attribute, log_record_attribute or
	// datapoint_attribute. What is found on a data point is added to the data
	// point. Log records go to a resource of their container.
	From string `mapstructure:"from"`

	// Name of the attribute.
	Name string `mapstructure:"name"`

	// As says what the attribute holds: container.id, process.pid, log.file.path
	// or container.name. Empty means what the name says.
	As string `mapstructure:"as"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ExcludeConfig names containers to leave alone.
type ExcludeConfig struct {
	// Containers to leave alone, by name.
	Containers []ExcludeContainerConfig `mapstructure:"containers"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ExcludeContainerConfig names containers to leave alone.
type ExcludeContainerConfig struct {
	// Name is a regular expression that matches anywhere in the container's name.
	Name string `mapstructure:"name"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// ServiceNameConfig says where service.name is set to the compose service, or
// the name of the container where it has none.
type ServiceNameConfig struct {
	// Signals are metrics, logs, traces. Empty means nowhere.
	Signals []string `mapstructure:"signals"`

	// Placeholders are values that are replaced, as if they were absent. One that
	// ends in * stands for all that begin so.
	Placeholders []string `mapstructure:"placeholders"`

	// prevent unkeyed literal initialization
	_ struct{}
}

var (
	_ xconfmap.Validator = (*Config)(nil)
	_ xconfmap.Validator = (*ExtractConfig)(nil)
	_ xconfmap.Validator = (*LabelConfig)(nil)
	_ xconfmap.Validator = (*AssociationConfig)(nil)
	_ xconfmap.Validator = (*SourceConfig)(nil)
	_ xconfmap.Validator = (*ExcludeContainerConfig)(nil)
	_ xconfmap.Validator = (*ServiceNameConfig)(nil)
)

var (
	errAssociation     = errors.New(`"association" must have at least one entry, such as {sources: [{from: resource_attribute, name: container.id}]}`)
	errSources         = errors.New(`"sources" must have at least one entry, such as {from: resource_attribute, name: container.id}`)
	errSourcesFrom     = errors.New(`"sources" of one association must have the same "from": what is on a resource and what is on its points are different things`)
	errFrom            = errors.New(`"from" must be resource_attribute, log_record_attribute or datapoint_attribute`)
	errName            = errors.New(`"name" must be the name of an attribute, such as container.id`)
	errAs              = errors.New(`"as" must be container.id, process.pid, log.file.path or container.name, where the attribute has another name than these`)
	errLabelKey        = errors.New(`"key" or "key_regex" must say which label, and only one of them`)
	errExclude         = errors.New(`"name" must be a regular expression for names of containers, such as ^otelcol`)
	errSignals         = errors.New(`"signals" must be a list of metrics, logs and traces, or empty`)
	errPlaceholder     = errors.New(`"placeholders" must not have an empty entry: an empty service.name is replaced anyway`)
	errRemoveAndAdd    = errors.New(`"remove_container_id" must be false where "metadata" has container.id`)
	errWaitForMetadata = errors.New(`"wait_for_metadata_timeout" must be positive, such as 10s`)
)

// Validate checks what concerns several keys; the parts check themselves.
func (c *Config) Validate() error {
	var errs []error
	if len(c.Association) == 0 {
		errs = append(errs, errAssociation)
	}
	if c.RemoveContainerID && slices.Contains(c.Extract.Metadata, containerID) {
		errs = append(errs, errRemoveAndAdd)
	}
	if c.WaitForMetadataTimeout <= 0 {
		errs = append(errs, errWaitForMetadata)
	}
	return errors.Join(errs...)
}

// Validate checks the names of attributes.
func (e *ExtractConfig) Validate() error {
	var errs []error
	names, _ := metadataNames()
	for _, name := range e.Metadata {
		if !slices.Contains(names, name) {
			errs = append(errs, fmt.Errorf(`"metadata" must not have %q: the names are %s`, name, strings.Join(names, ", ")))
		}
	}
	return errors.Join(errs...)
}

// Validate checks that it is clear which labels are meant.
func (l *LabelConfig) Validate() error {
	if (l.Key == "") == (l.KeyRegex == "") {
		return errLabelKey
	}
	if _, err := wholeMatch(l.KeyRegex); err != nil {
		return fmt.Errorf(`"key_regex" must be a regular expression, such as com\.example\.(.*): %w`, err)
	}
	return nil
}

// Validate checks that the sources go together.
func (a *AssociationConfig) Validate() error {
	if len(a.Sources) == 0 {
		return errSources
	}
	for i := range a.Sources {
		if a.Sources[i].From != a.Sources[0].From {
			return errSourcesFrom
		}
	}
	return nil
}

// Validate checks where the attribute is and what it holds.
func (s *SourceConfig) Validate() error {
	var errs []error
	if s.From != fromResource && s.From != fromRecord && s.From != fromPoint {
		errs = append(errs, errFrom)
	}
	if s.Name == "" {
		errs = append(errs, errName)
	} else if _, known := identifiers[s.holds()]; !known {
		errs = append(errs, errAs)
	}
	return errors.Join(errs...)
}

// holds is what the attribute holds.
func (s *SourceConfig) holds() string {
	if s.As != "" {
		return s.As
	}
	return s.Name
}

// Validate checks the pattern.
func (e *ExcludeContainerConfig) Validate() error {
	if e.Name == "" {
		return errExclude
	}
	if _, err := regexp.Compile(e.Name); err != nil {
		return fmt.Errorf("%w: %w", errExclude, err)
	}
	return nil
}

// Validate checks the signals.
func (s *ServiceNameConfig) Validate() error {
	var errs []error
	for _, signal := range s.Signals {
		switch signal {
		case pipeline.SignalMetrics.String(), pipeline.SignalLogs.String(), pipeline.SignalTraces.String():
		default:
			errs = append(errs, errSignals)
		}
	}
	if slices.Contains(s.Placeholders, "") {
		errs = append(errs, errPlaceholder)
	}
	return errors.Join(errs...)
}

// wholeMatch compiles a pattern that must match a whole text.
func wholeMatch(pattern string) (*regexp.Regexp, error) {
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, err // of the pattern as it was written
	}
	return regexp.Compile("^(?:" + pattern + ")$")
}

// metadataNames returns the attributes that metadata.yaml declares, and those of
// them that are added by default.
func metadataNames() (all, enabled []string) {
	defaults := reflect.ValueOf(metadata.DefaultResourceAttributesConfig())
	for i := range defaults.NumField() {
		name := defaults.Type().Field(i).Tag.Get("mapstructure")
		all = append(all, name)
		if defaults.Field(i).Interface().(metadata.ResourceAttributeConfig).Enabled {
			enabled = append(enabled, name)
		}
	}
	return all, enabled
}

// enable switches attributes on by name, and all others off.
func enable(names []string) metadata.ResourceAttributesConfig {
	var cfg metadata.ResourceAttributesConfig
	fields := reflect.ValueOf(&cfg).Elem()
	for i := range fields.NumField() {
		on := slices.Contains(names, fields.Type().Field(i).Tag.Get("mapstructure"))
		fields.Field(i).Set(reflect.ValueOf(metadata.ResourceAttributeConfig{Enabled: on}))
	}
	return cfg
}
