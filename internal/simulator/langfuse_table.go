package simulator

import (
	"slices"
	"time"
)

// langfuseTable keeps rows by id and by time. Rows of the same time stay in the order in which they came.
type langfuseTable[T any] struct {
	at       func(*T) time.Time
	rows     []*T
	byID     map[string]*T
	unsorted bool
}

func newLangfuseTable[T any](at func(*T) time.Time) *langfuseTable[T] {
	return &langfuseTable[T]{at: at, byID: map[string]*T{}}
}

// put stores a row, in the place of the one with the same id if there is one.
func (t *langfuseTable[T]) put(id string, row T) *T {
	if old := t.byID[id]; old != nil {
		t.unsorted = t.unsorted || !t.at(old).Equal(t.at(&row))
		*old = row
		return old
	}
	if n := len(t.rows); n > 0 && t.at(&row).Before(t.at(t.rows[n-1])) {
		t.unsorted = true
	}
	t.byID[id] = &row
	t.rows = append(t.rows, &row)
	return &row
}

// remove drops the rows with these ids.
func (t *langfuseTable[T]) remove(ids ...string) {
	gone := make(map[*T]bool, len(ids))
	for _, id := range ids {
		gone[t.byID[id]] = true
		delete(t.byID, id)
	}
	t.rows = slices.DeleteFunc(t.rows, func(row *T) bool { return gone[row] })
}

// cut takes away the rows of before a time and returns them; their ids stay until the caller removes them.
func (t *langfuseTable[T]) cut(since time.Time) []*T {
	old := slices.Clone(t.between(time.Time{}, since))
	t.rows = slices.Delete(t.rows, 0, len(old))
	return old
}

// between returns the rows from one time until before another, the oldest first.
func (t *langfuseTable[T]) between(from, end time.Time) []*T {
	if t.unsorted {
		slices.SortStableFunc(t.rows, func(a, b *T) int { return t.at(a).Compare(t.at(b)) })
		t.unsorted = false
	}
	find := func(x time.Time) int {
		i, _ := slices.BinarySearchFunc(t.rows, x, func(row *T, x time.Time) int { return t.at(row).Compare(x) })
		return i
	}
	first := find(from)
	return t.rows[first:max(first, find(end))]
}
