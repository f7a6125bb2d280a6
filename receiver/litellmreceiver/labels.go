package litellmreceiver

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/otelcol-llm/otelcol-llm/internal/promtext"
)

// maxOthers is how many values of a label are told apart that is no model and no
// opt-in: exception classes, guardrails, callbacks, tools.
const maxOthers = 100

// absent are the values that LiteLLM writes where it has none; the empty one is too.
var absent = []string{"None"}

// label is a label of the page and the attribute that it becomes.
type label struct {
	name string
	as   attribute
}

// Labels of what clients ask for, of deployments, and of errors.
var (
	ofRequests    = []label{{"requested_model", attrRequestModel}, {"api_provider", attrProvider}}
	ofModels      = []label{{"requested_model", attrRequestModel}, {"model", attrResponseModel}, {"api_provider", attrProvider}}
	ofGroups      = []label{{"model_group", attrRequestModel}, {"litellm_model_name", attrResponseModel}, {"api_provider", attrProvider}}
	ofDeployments = []label{{"model_id", attrDeploymentID}, {"requested_model", attrRequestModel}, {"litellm_model_name", attrResponseModel}, {"api_provider", attrProvider}}
	ofErrors      = []label{{"exception_status", attrErrorType}, {"exception_class", attrExceptionClass}}
)

// optional are the labels that LabelsConfig switches on.
var optional = []struct {
	setting string
	label
	config func(*LabelsConfig) LabelConfig
}{
	{"key_alias", label{"api_key_alias", attrKeyAlias}, func(c *LabelsConfig) LabelConfig { return c.KeyAlias }},
	{"key_hash", label{"hashed_api_key", attrKeyHash}, func(c *LabelsConfig) LabelConfig { return c.KeyHash }},
	{"team", label{"team", attrTeam}, func(c *LabelsConfig) LabelConfig { return c.Team }},
	{"team_alias", label{"team_alias", attrTeamAlias}, func(c *LabelsConfig) LabelConfig { return c.TeamAlias }},
	{"user", label{"user", attrUser}, func(c *LabelsConfig) LabelConfig { return c.User }},
	{"end_user", label{"end_user", attrEndUser}, func(c *LabelsConfig) LabelConfig { return c.EndUser }},
	{"organization", label{"org_id", attrOrganization}, func(c *LabelsConfig) LabelConfig { return c.Organization }},
	{"organization_alias", label{"org_alias", attrOrganizationAlias}, func(c *LabelsConfig) LabelConfig { return c.OrganizationAlias }},
	{"route", label{"route", attrRoute}, func(c *LabelsConfig) LabelConfig { return c.Route }},
}

// labeler knows which labels stay, how many values each may have, and what they
// become.
type labeler struct {
	// kept are the optional labels that are on.
	kept []label
	// tags are the labels of the tags that are told apart, and the tags.
	tags []tag
	// values bounds the values of each attribute; from scrape to scrape, so that what
	// was told apart stays so.
	values [attributeCount]*promtext.Values
}

type tag struct{ label, name string }

// notInLabels are the characters that LiteLLM replaces in the names of tags.
var notInLabels = regexp.MustCompile(`[^a-zA-Z0-9_]`)

func newLabeler(cfg *Config) *labeler {
	l := &labeler{}
	for i := range l.values {
		l.values[i] = promtext.NewValues(maxOthers, overflow)
	}
	for _, a := range []attribute{attrRequestModel, attrResponseModel, attrDeploymentID} {
		l.values[a] = promtext.NewValues(cfg.MaxModels, overflow)
	}
	l.values[attrFallbackModel] = l.values[attrRequestModel] // the same names
	for _, o := range optional {
		if c := o.config(&cfg.Labels); c.Enabled {
			l.kept = append(l.kept, o.label)
			l.values[o.as] = promtext.NewValues(c.Max, overflow)
		}
	}
	for _, name := range slices.Sorted(slices.Values(cfg.Labels.Tags.Names)) {
		l.tags = append(l.tags, tag{"tag_" + notInLabels.ReplaceAllString(name, "_"), name})
	}
	return l
}

// keeps says whether the optional label of one of the attributes is on.
func (l *labeler) keeps(of []attribute) bool {
	return slices.ContainsFunc(l.kept, func(k label) bool { return slices.Contains(of, k.as) })
}

// keep are the labels that stay for promtext.Reduction.
func (l *labeler) keep(own []label, personal bool) map[string]*promtext.Values {
	keep := make(map[string]*promtext.Values)
	for _, k := range own {
		keep[k.name] = l.values[k.as]
	}
	if personal {
		for _, k := range l.kept {
			keep[k.name] = l.values[k.as]
		}
		for _, t := range l.tags {
			keep[t.label] = l.values[attrTags]
		}
	}
	return keep
}

// refused says how many series of the last page had a value of which attribute that
// was beyond its limit.
func (l *labeler) refused() map[attribute]int {
	counts := make(map[attribute]int)
	for i, values := range l.values {
		if n := values.Refused(); n > 0 {
			counts[attribute(i)] = n
		}
	}
	return counts
}

// attributes are what the labels of a series become.
func (l *labeler) attributes(from labels.Labels, own []label, personal bool) attributes {
	var a attributes
	for _, k := range own {
		a[k.as] = from.Get(k.name)
	}
	if personal {
		for _, k := range l.kept {
			a[k.as] = from.Get(k.name)
		}
		a[attrTags] = l.tagsOf(from)
	}
	// Before 1.95 only the class tells the provider: Openai.RateLimitError.
	if of, class, ok := strings.Cut(a[attrExceptionClass], "."); ok {
		a[attrExceptionClass] = class
		if a[attrProvider] == "" {
			a[attrProvider] = strings.ToLower(of)
		}
	}
	if a[attrErrorType] == "" {
		a[attrErrorType] = a[attrExceptionClass]
	}
	if _, err := strconv.ParseUint(a[attrStatusCode], 10, 16); err != nil {
		a[attrStatusCode] = ""
	}
	return a
}

func (l *labeler) tagsOf(from labels.Labels) string {
	var set []string
	for _, t := range l.tags {
		if from.Get(t.label) == "true" {
			set = append(set, t.name)
		}
	}
	return strings.Join(set, ",")
}
