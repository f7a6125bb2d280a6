package dockerinventoryreceiver

import (
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

// imageHistory remembers which image each name stood for. A container that is
// made anew has another id, but the same name.
type imageHistory struct {
	max   int
	names map[string]*namedImage
	seen  uint64
}

// namedImage is the image of the last container that had a name.
type namedImage struct {
	image     docker.Image
	container string
	created   time.Time
	// seen grows with each look at it.
	seen uint64
}

func newImageHistory(limit int) *imageHistory {
	return &imageHistory{max: limit, names: make(map[string]*namedImage)}
}

// learn notes which image a name stands for now, and returns what it stood for
// before if that is another.
func (h *imageHistory) learn(name string, c *docker.Container) (before docker.Image, changed bool) {
	if name == "" || c.Image.Ref == "" {
		return docker.Image{}, false
	}
	h.seen++
	n := h.names[name]
	switch {
	case n == nil:
		h.forgetOldest()
		n = &namedImage{image: c.Image}
		h.names[name] = n
	case n.container != c.ID && c.Created.Before(n.created):
		return docker.Image{}, false // late news of a predecessor
	}
	before, changed = n.image, !sameImage(n.image, c.Image)
	*n = namedImage{image: c.Image, container: c.ID, created: c.Created, seen: h.seen}
	return before, changed
}

func (h *imageHistory) forgetOldest() {
	if len(h.names) < h.max {
		return
	}
	oldest := ""
	for name, n := range h.names {
		if oldest == "" || n.seen < h.names[oldest].seen {
			oldest = name
		}
	}
	delete(h.names, oldest)
}

// sameImage compares ids: a tag may mean another image today, and two tags the same.
func sameImage(a, b docker.Image) bool {
	if a.ID != "" && b.ID != "" {
		return a.ID == b.ID
	}
	return a.Ref == b.Ref
}
