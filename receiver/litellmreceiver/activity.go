package litellmreceiver

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/apiclient"
)

const (
	// activityPage is the largest page that LiteLLM gives: rows of the database, one
	// for each user, key and model.
	activityPage = 1000
	// maxActivityPages bounds what a day may take. Part of a day would be a wrong total.
	maxActivityPages = 50
)

// errManyRows says that a day has more pages than are read.
var errManyRows = errors.New("the day has more rows than are read")

// activity is what the database has of a UTC day.
type activity struct {
	day    string
	models []usage
	// public says that the models have their public names.
	public bool
}

// usage is that of a model.
type usage struct {
	model string
	sums
}

// sums are the numbers that LiteLLM keeps of a day. Older versions have fewer.
type sums struct {
	Spend         amount `json:"spend"`
	Input         amount `json:"prompt_tokens"`
	Output        amount `json:"completion_tokens"`
	CacheRead     amount `json:"cache_read_input_tokens"`
	CacheCreation amount `json:"cache_creation_input_tokens"`
	Successful    amount `json:"successful_requests"`
	Failed        amount `json:"failed_requests"`
}

// fields are those of s, to do the same with each.
func (s *sums) fields() []*amount {
	return []*amount{&s.Spend, &s.Input, &s.Output, &s.CacheRead, &s.CacheCreation, &s.Successful, &s.Failed}
}

func (s *sums) add(more *sums) {
	others := more.fields()
	for i, f := range s.fields() {
		if others[i].float64 != nil {
			sum := f.or(0) + *others[i].float64
			f.float64 = &sum
		}
	}
}

// activityAnswer is one page.
type activityAnswer struct {
	Results []struct {
		Date      text `json:"date"`
		Breakdown struct {
			Groups usages `json:"model_groups"`
			Models usages `json:"models"`
		} `json:"breakdown"`
	} `json:"results"`
	Metadata struct {
		Pages amount  `json:"total_pages"`
		More  boolean `json:"has_more"`
	} `json:"metadata"`
}

// usages are those by model; older versions have the sums without "metrics" around
// them.
type usages map[string]struct {
	Metrics *sums `json:"metrics"`
	sums
}

// activity asks for the sums of all rows, and for the rows where the version has no
// sums.
func (p *httpProxy) activity(ctx context.Context, now time.Time, limit int) (*activity, error) {
	day := now.UTC().Format(time.DateOnly)
	query := url.Values{"start_date": {day}, "end_date": {day}}
	t := newActivityTotal(day, limit)
	var answer activityAnswer
	err := p.api.JSON(ctx, apiclient.Request{Endpoint: endpointAggregated, Query: query}, &answer)
	if err == nil {
		t.add(&answer)
		return t.activity(), nil
	}
	if !notOffered(err) {
		return nil, err
	}
	query.Set("page_size", strconv.Itoa(activityPage))
	for page := 1; ; page++ {
		if page > maxActivityPages {
			return nil, errManyRows
		}
		query.Set("page", strconv.Itoa(page))
		var answer activityAnswer
		if err := p.api.JSON(ctx, apiclient.Request{Endpoint: endpointActivity, Query: query}, &answer); err != nil {
			return nil, err
		}
		t.add(&answer)
		if len(answer.Results) == 0 || !bool(answer.Metadata.More) && float64(page) >= answer.Metadata.Pages.or(1) {
			return t.activity(), nil
		}
	}
}

// activityTotal adds pages up.
type activityTotal struct {
	day            string
	limit          int
	groups, models map[string]*sums
}

func newActivityTotal(day string, limit int) *activityTotal {
	return &activityTotal{day: day, limit: limit, groups: make(map[string]*sums), models: make(map[string]*sums)}
}

func (t *activityTotal) add(answer *activityAnswer) {
	for i := range answer.Results {
		r := &answer.Results[i]
		if len(r.Date) < len(t.day) || string(r.Date[:len(t.day)]) != t.day {
			continue
		}
		t.addTo(t.groups, r.Breakdown.Groups)
		t.addTo(t.models, r.Breakdown.Models)
	}
}

func (t *activityTotal) addTo(totals map[string]*sums, more usages) {
	for _, model := range slices.Sorted(maps.Keys(more)) { // the same ones beyond the limit each time
		u := more[model]
		if model == "" || model == absent[0] {
			continue
		}
		if totals[model] == nil && len(totals) >= t.limit {
			model = overflow
		}
		if totals[model] == nil {
			totals[model] = &sums{}
		}
		s := u.sums
		if u.Metrics != nil {
			s = *u.Metrics
		}
		totals[model].add(&s)
	}
}

func (t *activityTotal) activity() *activity {
	a := &activity{day: t.day, public: len(t.groups) > 0}
	totals := t.models
	if a.public {
		totals = t.groups
	}
	for model, s := range totals {
		a.models = append(a.models, usage{model, *s})
	}
	return a
}
