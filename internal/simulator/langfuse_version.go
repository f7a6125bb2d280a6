package simulator

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// langfuseRelease is a version as numbers: major, minor, patch.
type langfuseRelease [3]int

// The releases at which the API changed. Those without a mark are the first whose API description lists the thing, or
// were seen running; in between (~) is the middle of what was seen.
var (
	langfuseScoresV2  = langfuseRelease{3, 53, 0}
	langfuseMetricsV1 = langfuseRelease{3, 57, 0}
	// langfuseFields is when ?fields of /traces came (~).
	langfuseFields = langfuseRelease{3, 75, 0}
	// langfuseEventsAPI has /v2/metrics and /v2/observations, which on self-hosted servers answer 501 ...
	langfuseEventsAPI = langfuseRelease{3, 141, 0}
	langfuseScoresV3  = langfuseRelease{3, 180, 0}
	// ... and from here (~; 3.221 and 3.225 do) 404.
	langfuseEvents404 = langfuseRelease{3, 206, 0}
	// langfuseTools has toolDefinitions and toolCalls, and langfuseUniq the aggregation of that name (~).
	langfuseTools, langfuseUniq = langfuseRelease{3, 150, 0}, langfuseRelease{3, 141, 0}
	// langfuse4 has write modes, _deprecation, scores-boolean, isRootObservation (~), the top lists of users and the like
	// (~), a bucket of its own for v2 metrics and one for legacy reads (~, mid 2026).
	langfuse4 = langfuseRelease{4, 0, 0}
)

// langfuseRemoval is when Langfuse Cloud drops the v1 reads, as the descriptions of 4.16 announce it.
var langfuseRemoval = time.Date(2026, time.November, 16, 0, 0, 0, 0, time.UTC)

var langfuseVersionPattern = regexp.MustCompile(`^(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?$`)

// mustLangfuseRelease parses a version such as "3.141.0" or "4.0.0-rc.2"; anything else is a mistake in a test.
func mustLangfuseRelease(version string) langfuseRelease {
	parts := langfuseVersionPattern.FindStringSubmatch(version)
	if parts == nil {
		panic(fmt.Sprintf("simulator: no Langfuse version %q, want one like 3.141.0", version))
	}
	var r langfuseRelease
	for i := range r {
		r[i], _ = strconv.Atoi(parts[i+1])
	}
	return r
}

// from reports whether r is first or newer.
func (r langfuseRelease) from(first langfuseRelease) bool {
	for i := range r {
		if r[i] != first[i] {
			return r[i] > first[i]
		}
	}
	return true
}

// langfuseReads is whether a family of endpoints answers, and how if not.
type langfuseReads int

const (
	readsAnswer langfuseReads = iota
	// readsRemoved: the route is gone.
	readsRemoved
	// readsEventsOnly: 404, as the old tables are not written.
	readsEventsOnly
	// readsCloudOnly: 501. readsNoEvents: 404. The new table is not written.
	readsCloudOnly
	readsNoEvents
	// readsNewOrganization: 410.
	readsNewOrganization
)

// legacyReads is how the v1 endpoints answer.
func (l *Langfuse) legacyReads() langfuseReads {
	switch {
	case l.cfg.Cloud && !l.cfg.Now().Before(langfuseRemoval):
		return readsRemoved
	case l.cfg.Cloud && l.cfg.NewOrganization:
		return readsNewOrganization
	case !l.cfg.Cloud && l.release.from(langfuse4) && l.cfg.Mode == LangfuseEventsOnly:
		return readsEventsOnly
	default:
		return readsAnswer
	}
}

// eventReads is how the endpoints over the table of events answer.
func (l *Langfuse) eventReads() langfuseReads {
	switch {
	case l.cfg.Cloud:
		return readsAnswer
	case l.release.from(langfuse4):
		if l.cfg.Mode == LangfuseLegacy {
			return readsNoEvents
		}
		return readsAnswer
	case l.cfg.V2OnV3:
		return readsAnswer
	case l.release.from(langfuseEvents404):
		return readsNoEvents
	default:
		return readsCloudOnly
	}
}
