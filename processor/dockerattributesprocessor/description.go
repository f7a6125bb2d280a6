package dockerattributesprocessor

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
	"github.com/otelcol-llm/otelcol-llm/internal/llmserver"
	"github.com/otelcol-llm/otelcol-llm/processor/dockerattributesprocessor/internal/metadata"
)

const (
	labelPrefix  = "container.label."
	requestModel = "gen_ai.request.model"
)

// description is what a container's telemetry gets, made once for each state of
// the container.
type description struct {
	container  *docker.Container
	attributes pcommon.Map
	// service is the name to give where there is none.
	service  string
	hasModel bool
	excluded bool
}

// describer makes descriptions and keeps those in use.
type describer struct {
	extract metadata.ResourceAttributesConfig
	labels  []labelRule
	exclude []*regexp.Regexp
	limit   int
	known   func(id string) (*docker.Container, bool)

	mu   sync.RWMutex
	made map[string]*description
}

// labelRule chooses labels by one name or a pattern.
type labelRule struct {
	attribute, key string
	pattern        *regexp.Regexp
}

func newDescriber(cfg *Config) (*describer, error) {
	d := &describer{extract: enable(cfg.Extract.Metadata), limit: cfg.Docker.MaxContainers, made: make(map[string]*description)}
	for i := range cfg.Extract.Labels {
		l := &cfg.Extract.Labels[i]
		r := labelRule{attribute: l.TagName, key: l.Key}
		if l.KeyRegex != "" {
			pattern, err := wholeMatch(l.KeyRegex)
			if err != nil {
				return nil, err
			}
			r.pattern = pattern
		}
		d.labels = append(d.labels, r)
	}
	for i := range cfg.Exclude.Containers {
		pattern, err := regexp.Compile(cfg.Exclude.Containers[i].Name)
		if err != nil {
			return nil, err
		}
		d.exclude = append(d.exclude, pattern)
	}
	return d, nil
}

// describe returns the description of a container. The watcher hands out another
// pointer whenever anything has changed.
func (d *describer) describe(c *docker.Container) *description {
	d.mu.RLock()
	made := d.made[c.ID]
	d.mu.RUnlock()
	if made != nil && made.container == c {
		return made
	}
	made = d.make(c)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.made[c.ID] = made
	if len(d.made) > d.limit { // the watcher knows no more than that
		for id := range d.made {
			if _, known := d.known(id); !known {
				delete(d.made, id)
			}
		}
	}
	return made
}

func (d *describer) make(c *docker.Container) *description {
	rb := metadata.NewResourceBuilder(d.extract)
	text := func(set func(string), value string) {
		if value != "" {
			set(value)
		}
	}
	rb.SetContainerID(c.ID)
	rb.SetContainerRuntime("docker")
	text(rb.SetContainerName, c.Name)
	text(rb.SetContainerImageID, c.Image.ID)
	text(rb.SetContainerImageName, c.Image.Name)
	text(rb.SetContainerImageTag, c.Image.Tag)
	if c.Image.Tag != "" {
		rb.SetContainerImageTags([]any{c.Image.Tag})
	}
	if c.Image.Name != "" && c.Image.Digest != "" {
		rb.SetContainerImageRepoDigests([]any{c.Image.Name + "@" + c.Image.Digest})
	}
	text(rb.SetDockerComposeProject, c.ComposeProject)
	text(rb.SetDockerComposeService, c.ComposeService)
	text(rb.SetContainerGpus, c.GPUs.String())
	id, name := model(c)
	text(rb.SetLlmModelID, id)
	text(rb.SetGenAiRequestModel, name)

	made := &description{
		container:  c,
		attributes: rb.Emit().Attributes(),
		service:    cmp.Or(c.ComposeService, c.Name),
		excluded:   slices.ContainsFunc(d.exclude, func(r *regexp.Regexp) bool { return r.MatchString(c.Name) }),
	}
	for i := range d.labels {
		d.labels[i].add(made.attributes, c.Labels)
	}
	_, made.hasModel = made.attributes.Get(requestModel)
	return made
}

// add adds the labels that the rule chooses.
func (r *labelRule) add(attributes pcommon.Map, labels map[string]string) {
	if r.pattern == nil {
		if value, there := labels[r.key]; there {
			attributes.PutStr(cmp.Or(r.attribute, labelPrefix+r.key), value)
		}
		return
	}
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		if match := r.pattern.FindStringSubmatchIndex(key); match != nil {
			attribute := string(r.pattern.ExpandString(nil, r.attribute, key, match))
			attributes.PutStr(cmp.Or(attribute, labelPrefix+key), labels[key])
		}
	}
}

// model returns the id of the weights that a container serves, and the name that
// requests use. The labels of a server of another kind are enough.
func model(c *docker.Container) (id, name string) {
	spec, known := llmserver.Detect(llmserver.Source{Labels: c.Labels, Env: c.Env, Command: c.Command, Image: c.Image.Ref})
	if !known {
		id = c.Labels[llmserver.LabelPrefix+"model"]
		name, _, _ = strings.Cut(c.Labels[llmserver.LabelPrefix+"served-model-name"], ",")
		return id, cmp.Or(strings.TrimSpace(name), id)
	}
	if len(spec.ServedNames) > 0 {
		name = spec.ServedNames[0]
	}
	return spec.Model, name
}
