package langfusereceiver

import "time"

// hobbyQueries is the default of queries_per_day on Langfuse Cloud, whose smallest
// plan refuses the 100th query of a day, for all projects and tools of an
// organization together. Of the daily figures it refuses the 10th. Source: langfuse
// web/src/features/public-api/server/RateLimitService.ts (4.16).
const (
	hobbyQueries      = 90
	hobbyDailyQueries = 9
)

// mostStretch bounds by how much the windows of the views that matter less are
// longer than the others.
const mostStretch = 8

// plan says how long the windows of each view are: as short as wished, or as short
// as perDay queries in a day allow. perDay 0 means no limit.
func plan(views []*view, wish time.Duration, perDay int) map[string]time.Duration {
	primary, secondary := 0, 0
	for _, v := range views {
		switch {
		case v.read == nil: // all daily figures come with one query
			primary = 1
		case v.primary:
			primary++
		default:
			secondary++
		}
	}
	first, second := atLeast(wish), atLeast(wish)
	if perDay > 0 {
		first, second = share(primary, secondary, first, regular(perDay))
	}
	lengths := make(map[string]time.Duration, len(views))
	for _, v := range views {
		lengths[v.name] = second
		if v.primary {
			lengths[v.name] = first
		}
	}
	return lengths
}

// share finds the shortest windows, not shorter than least, with which n queries
// in a day are enough. If none are, the longest.
func share(primary, secondary int, least time.Duration, n int) (first, second time.Duration) {
	for _, first := range spans {
		if first < least {
			continue
		}
		left := n - primary*int(day/first)
		for _, second := range spans {
			if second >= first && second <= mostStretch*first && secondary*int(day/second) <= left {
				return first, second
			}
		}
	}
	return day, day
}

// regular is how many of the queries in a day are planned for. What is left is for
// finding out what the server offers, and for what came late.
func regular(perDay int) int { return max(perDay-burst(perDay)-2, 1) }
