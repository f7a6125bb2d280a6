package vllmreceiver

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
)

// maxModels bounds what one server may list: LoRA adapters are entries too.
const maxModels = 500

// identity is what a server is. It outlives the server, so that an alert can
// name the models that died.
type identity struct {
	version string
	models  []model
	weights weights
	// cacheDType is that of the KV cache, empty if it is that of the model.
	cacheDType string
	// listed says that the models are all there are, told by the server; else their
	// names are from the page.
	listed bool

	// read is when it was last read, zero if it must be read now.
	read time.Time
	// err is why the models could not be read, nil if they were.
	err error
	// weightsAsked says that /server_info was answered, be it with a refusal,
	// since the last start of the server.
	weightsAsked bool
}

// forget makes the next refresh read all again: the server restarted.
func (id *identity) forget() {
	id.read = time.Time{}
	id.weightsAsked = false
}

// refresh reads version and models if they are older than maxAge. What cannot be
// read keeps its last value; names come from the page where the models are not
// told. The error, if any, is that of the models.
func (id *identity) refresh(ctx context.Context, s server, paths PathsConfig, page *enginePage, now time.Time, maxAge time.Duration) error {
	if !id.read.IsZero() && now.Sub(id.read) < maxAge {
		return id.err
	}
	id.read = now
	id.cacheDType = page.cacheDType()
	if paths.Version != "" {
		if version, err := s.version(ctx); err == nil && version != "" {
			id.version = version
		}
	}
	if paths.ServerInfo != "" && !id.weightsAsked {
		w, err := s.weights(ctx)
		id.weightsAsked = err == nil || answered(reasonOf(err))
		if id.weightsAsked { // a refusal tells nothing, not what was true before
			id.weights = w
		}
	}
	id.err = nil
	if paths.Models != "" {
		var models []model
		if models, id.err = s.models(ctx); len(models) > 0 && id.err == nil {
			id.models, id.listed = distinct(models), true
			return nil
		}
	}
	id.modelsFromPage(page)
	if refused := (*apiclient.StatusError)(nil); id.err != nil && (!errors.As(id.err, &refused) || refused.Code >= 500) {
		id.read = time.Time{} // a passing failure: try again at the next scrape
	}
	return id.err
}

// modelsFromPage makes do with the names on the page, unless they belong to
// models that are known better.
func (id *identity) modelsFromPage(page *enginePage) {
	names := page.modelNames()
	isNew := func(name string) bool {
		return !slices.ContainsFunc(id.models, func(m model) bool { return m.ID == name })
	}
	if !slices.ContainsFunc(names, isNew) {
		return
	}
	id.models, id.listed = nil, false
	for _, name := range names {
		id.models = append(id.models, model{ID: name})
	}
}

// known are the models as the server tells them, and what it does not tell as the
// container does.
func (id *identity) known(told []model) []model {
	if len(id.models) == 0 || len(told) == 0 {
		return append(slices.Clip(id.models), told...)
	}
	models := slices.Clone(id.models)
	agreed := false
	for _, t := range told {
		i := slices.IndexFunc(models, func(m model) bool { return m.ID == t.ID })
		if i < 0 {
			continue
		}
		agreed = true
		m := &models[i]
		m.Root, m.Parent = cmp.Or(m.Root, t.Root), cmp.Or(m.Parent, t.Parent)
		if m.Parent == "" { // an adapter has none of its own
			m.MaxModelLen = cmp.Or(m.MaxModelLen, t.MaxModelLen)
		}
	}
	if agreed && !id.listed { // the page has the first name only
		models = distinct(append(models, told...))
	}
	return models
}

// distinct drops repeated and nameless entries and those beyond maxModels.
func distinct(models []model) []model {
	seen := make(map[string]bool, len(models))
	kept := models[:0]
	for _, m := range models {
		if m.ID != "" && !seen[m.ID] && len(kept) < maxModels {
			seen[m.ID] = true
			kept = append(kept, m)
		}
	}
	return kept
}
