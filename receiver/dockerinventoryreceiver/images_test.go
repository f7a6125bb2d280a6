package dockerinventoryreceiver

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

func TestImageHistory(t *testing.T) {
	made := func(id string, minute int, ref, image string) *docker.Container {
		return &docker.Container{ID: id, Created: birth.Add(time.Duration(minute) * time.Minute), Image: docker.Image{Ref: ref, ID: image}}
	}
	h := newImageHistory(10)
	steps := []struct {
		what   string
		name   string
		c      *docker.Container
		before string
	}{
		{"new", "a", made("1", 0, "i:1", "x"), ""},
		{"the same container", "a", made("1", 0, "i:1", "x"), ""},
		{"made anew", "a", made("2", 1, "i:1", "x"), ""},
		{"another image", "a", made("3", 2, "i:2", "y"), "i:1"},
		{"late news of the old one", "a", made("2", 1, "i:1", "x"), ""},
		{"and again of the new one", "a", made("3", 2, "i:2", "y"), ""},
		{"the same tag means another image", "a", made("4", 3, "i:2", "z"), "i:2"},
		{"another tag means the same image", "a", made("5", 4, "i:3", "z"), ""},
		{"an id that is not known", "a", made("6", 5, "i:3", ""), ""},
		{"another tag, and no id", "a", made("7", 6, "i:4", ""), "i:3"},
		{"another name", "b", made("8", 7, "i:9", "q"), ""},
		{"no name", "", made("9", 8, "i:9", "q"), ""},
		{"no image", "a", made("9", 8, "", ""), ""},
	}
	for _, s := range steps {
		before, changed := h.learn(s.name, s.c)
		assert.Equal(t, s.before != "", changed, s.what)
		if changed {
			assert.Equal(t, s.before, before.Ref, s.what)
		}
	}
}

func TestImageHistoryIsBounded(t *testing.T) {
	h := newImageHistory(3)
	c := func(i int) *docker.Container {
		return &docker.Container{ID: strconv.Itoa(i), Image: docker.Image{Ref: "i"}}
	}
	for i := range 10 {
		h.learn("kept", c(0))
		h.learn(strconv.Itoa(i), c(i))
	}
	assert.Len(t, h.names, 3)
	assert.Contains(t, h.names, "kept")
	assert.Contains(t, h.names, "9")
}
