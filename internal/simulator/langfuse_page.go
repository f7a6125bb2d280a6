package simulator

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// langfusePage is a page by number, from 1.
type langfusePage struct{ page, limit int }

// parsePage reads ?page and ?limit: 1 and 50 if absent, at most 100.
func parsePage(q url.Values) (langfusePage, *langfuseRefusal) {
	page, refusal := parseCount(q, "page", 1, 0)
	limit, badLimit := parseCount(q, "limit", 50, 100)
	if refusal == nil {
		refusal = badLimit
	}
	return langfusePage{page, limit}, refusal
}

// parseCount reads a positive number; a maximum of 0 is none.
func parseCount(q url.Values, name string, otherwise, maximum int) (int, *langfuseRefusal) {
	text := q.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, badData(name, "Invalid input: expected number, received NaN")
	case n <= 0:
		return 0, badData(name, "Too small: expected number to be >0")
	case maximum > 0 && n > maximum:
		return 0, badData(name, "Too big: expected number to be <=%d", maximum)
	}
	return n, nil
}

func (p langfusePage) meta(total int) map[string]any {
	return map[string]any{
		"page": p.page, "limit": p.limit, "totalItems": total, "totalPages": (total + p.limit - 1) / p.limit,
	}
}

// listPage is a page of items with its meta.
func listPage[T any](p langfusePage, all []T, show func(T) any) map[string]any {
	first := min((p.page-1)*p.limit, len(all))
	data := []any{}
	for _, item := range all[first:min(first+p.limit, len(all))] {
		data = append(data, show(item))
	}
	return map[string]any{"data": data, "meta": p.meta(len(all))}
}

// parseRange reads two optional times, in milliseconds.
func parseRange(q url.Values, fromName, toName string) (from, to time.Time, refusal *langfuseRefusal) {
	for _, t := range []struct {
		name string
		to   *time.Time
	}{{fromName, &from}, {toName, &to}} {
		if text := q.Get(t.name); text != "" {
			parsed, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				return from, to, badData(t.name, "Invalid ISO datetime")
			}
			*t.to = parsed.Truncate(time.Millisecond)
		}
	}
	return from, to, nil
}

// endOf is the end of a range that may be open.
func endOf(to time.Time) time.Time {
	if to.IsZero() {
		return time.Unix(1<<40, 0)
	}
	return to
}

// langfuseCursor is the place of the last row of a page, newest first; rows of the same time are in order of their ids.
type langfuseCursor struct {
	Time time.Time `json:"lastTimestamp"`
	ID   string    `json:"lastId"`
}

func (c langfuseCursor) String() string {
	data, _ := json.Marshal(c) // a time and a string always can be
	return base64.RawURLEncoding.EncodeToString(data)
}

// parseCursor returns nil for the first page.
func parseCursor(q url.Values) (*langfuseCursor, *langfuseRefusal) {
	text := q.Get("cursor")
	if text == "" {
		return nil, nil
	}
	data, err := base64.RawURLEncoding.DecodeString(text)
	c := &langfuseCursor{}
	if err != nil || json.Unmarshal(data, c) != nil {
		return nil, badQuery("Invalid cursor format")
	}
	return c, nil
}

// langfuseItem is a row with what it is ordered by.
type langfuseItem[T any] struct {
	at  time.Time
	id  string
	row T
}

// newestFirst orders items by time, then id, both downwards.
func newestFirst[T any](a, b langfuseItem[T]) int {
	if c := b.at.Compare(a.at); c != 0 {
		return c
	}
	switch {
	case a.id > b.id:
		return -1
	case a.id < b.id:
		return 1
	default:
		return 0
	}
}

// cursorPage is the page after a cursor, and the cursor of the next one, "" on the last.
func cursorPage[T any](items []langfuseItem[T], after *langfuseCursor, limit int) (page []langfuseItem[T], next string) {
	slices.SortFunc(items, newestFirst)
	if after != nil {
		i, found := slices.BinarySearchFunc(items, langfuseItem[T]{at: after.Time, id: after.ID}, newestFirst)
		items = items[i+int(boolValue(found)):]
	}
	if len(items) <= limit {
		return items, ""
	}
	last := items[limit-1]
	return items[:limit], langfuseCursor{last.at, last.id}.String()
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
