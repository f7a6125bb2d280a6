package langfusereceiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
)

// Keys in the storage.
const (
	keyState = "state"
	keyFuel  = "queries"
)

var errFormat = errors.New("it was written by another version of this collector")

// store keeps the state in a storage extension.
type store struct{ client storage.Client }

// newStore opens the storage. Without one it remembers nothing.
func newStore(ctx context.Context, host component.Host, extension *component.ID, id component.ID) (*store, error) {
	if extension == nil {
		return &store{storage.NewNopClient()}, nil
	}
	ext, ok := host.GetExtensions()[*extension]
	if !ok {
		return nil, fmt.Errorf(`"storage": there is no extension %q; it must be defined and listed in service::extensions`, extension)
	}
	keeper, ok := ext.(storage.Extension)
	if !ok {
		return nil, fmt.Errorf(`"storage": the extension %q is no storage; file_storage is one`, extension)
	}
	client, err := keeper.GetClient(ctx, component.KindReceiver, id, "")
	if err != nil {
		return nil, fmt.Errorf(`"storage": %w`, err)
	}
	return &store{client}, nil
}

// load returns what was stored, nil if nothing was. A state that is no use is an
// error of its own kind: corrupt.
func (s *store) load(ctx context.Context) (*state, map[apiName]fuel, error) {
	left := make(map[apiName]fuel)
	text, err := s.client.Get(ctx, keyFuel)
	if err != nil {
		return nil, left, err
	}
	if json.Unmarshal(text, &left) != nil { // nothing, or nonsense
		clear(left)
	}
	if text, err = s.client.Get(ctx, keyState); err != nil || text == nil {
		return nil, left, err
	}
	loaded := &state{}
	if err := json.Unmarshal(text, loaded); err != nil {
		return nil, left, &corruptError{err}
	}
	if loaded.Format != stateFormat {
		return nil, left, &corruptError{errFormat}
	}
	loaded.complete()
	return loaded, left, nil
}

// corruptError says that the stored state cannot be read.
type corruptError struct{ err error }

func (e *corruptError) Error() string { return e.err.Error() }

func (e *corruptError) Unwrap() error { return e.err }

func (s *store) saveState(ctx context.Context, st *state) error { return s.save(ctx, keyState, st) }

func (s *store) saveFuel(ctx context.Context, left map[apiName]fuel) error {
	return s.save(ctx, keyFuel, left)
}

func (s *store) save(ctx context.Context, key string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return s.client.Set(ctx, key, text)
}

func (s *store) close(ctx context.Context) error { return s.client.Close(ctx) }
