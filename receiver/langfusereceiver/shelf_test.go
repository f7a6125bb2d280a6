package langfusereceiver

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// shelf is a storage that outlives its clients, as a disk does.
type shelf struct {
	component.StartFunc
	component.ShutdownFunc

	mu      sync.Mutex
	content map[string][]byte
	// failing is what every access answers, if it is there.
	failing error
	// before and after are called with each write, if they are there.
	before, after func(key string)
	writes        int
	// noClient is why there is no client, if it is there.
	noClient error
}

var shelfID = component.MustNewID("shelf")

func newShelf() *shelf { return &shelf{content: make(map[string][]byte)} }

func (s *shelf) GetClient(context.Context, component.Kind, component.ID, string) (storage.Client, error) {
	return s, s.noClient
}

func (s *shelf) Get(_ context.Context, key string) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.content[key], s.failing
}

func (s *shelf) Set(_ context.Context, key string, value []byte) error {
	if s.before != nil {
		s.before(key)
	}
	s.mu.Lock()
	err := s.failing
	if err == nil {
		s.content[key] = bytes.Clone(value)
		s.writes++
	}
	s.mu.Unlock()
	if s.after != nil {
		s.after(key)
	}
	return err
}

func (s *shelf) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = err
}

func (s *shelf) Delete(context.Context, string) error { return errors.ErrUnsupported }

func (s *shelf) Batch(context.Context, ...*storage.Operation) error { return errors.ErrUnsupported }

func (s *shelf) Close(context.Context) error { return nil }
