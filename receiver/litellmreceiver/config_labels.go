package litellmreceiver

import (
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/collector/confmap/xconfmap"
)

const (
	defaultMaxValues = 100
	// overflow is the value that stands for all beyond a limit.
	overflow = "other"
)

// LabelsConfig says which labels of the metrics page are kept beside those that
// always are. Each multiplies the series by the number of its values; several tell
// of persons.
type LabelsConfig struct {
	// KeyAlias is the alias of the virtual key (litellm.key.alias).
	KeyAlias LabelConfig `mapstructure:"key_alias"`
	// KeyHash is the hash of the virtual key (litellm.key.hash).
	KeyHash LabelConfig `mapstructure:"key_hash"`
	// Team is the id of the team (litellm.team.id).
	Team LabelConfig `mapstructure:"team"`
	// TeamAlias is the alias of the team (litellm.team.alias).
	TeamAlias LabelConfig `mapstructure:"team_alias"`
	// User is the id of the user, often an e-mail address (litellm.user.id).
	User LabelConfig `mapstructure:"user"`
	// EndUser is whom the client sends as user (litellm.end_user.id).
	EndUser LabelConfig `mapstructure:"end_user"`
	// Organization is the id of the organization (litellm.organization.id).
	Organization LabelConfig `mapstructure:"organization"`
	// OrganizationAlias is the alias of the organization (litellm.organization.alias).
	OrganizationAlias LabelConfig `mapstructure:"organization_alias"`
	// Route is the path asked for (http.route). Scanners make up new ones.
	Route LabelConfig `mapstructure:"route"`
	// Tags are request tags that the proxy shows as labels
	// (custom_prometheus_tags): litellm.tags.
	Tags TagsConfig `mapstructure:"tags"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// LabelConfig keeps one label.
type LabelConfig struct {
	// Enabled: default false.
	Enabled bool `mapstructure:"enabled"`

	// Max is how many values are told apart; all further ones become "other". Default
	// 100.
	Max int `mapstructure:"max"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// TagsConfig keeps tags.
type TagsConfig struct {
	// Names of the tags, as in custom_prometheus_tags of the proxy. Each doubles the
	// series at worst. Empty means none.
	Names []string `mapstructure:"names"`

	// prevent unkeyed literal initialization
	_ struct{}
}

// maxTags bounds the combinations of tags.
const maxTags = 16

var (
	_ xconfmap.Validator = (*LabelConfig)(nil)
	_ xconfmap.Validator = (*TagsConfig)(nil)
)

var (
	errMaxValues = errors.New(`"max" must be at least 1`)
	errTagNames  = fmt.Errorf(`"names" must be at most %d different tags, none of them empty`, maxTags)
)

// Validate checks the limit.
func (c *LabelConfig) Validate() error {
	if c.Enabled && c.Max < 1 {
		return errMaxValues
	}
	return nil
}

// Validate checks the names.
func (c *TagsConfig) Validate() error {
	distinct := slices.Compact(slices.Sorted(slices.Values(c.Names)))
	if len(distinct) != len(c.Names) || len(distinct) > maxTags || slices.Contains(distinct, "") {
		return errTagNames
	}
	return nil
}

func newDefaultLabels() LabelsConfig {
	off := LabelConfig{Max: defaultMaxValues}
	return LabelsConfig{
		KeyAlias: off, KeyHash: off, Team: off, TeamAlias: off, User: off, EndUser: off, Organization: off,
		OrganizationAlias: off, Route: off,
	}
}
