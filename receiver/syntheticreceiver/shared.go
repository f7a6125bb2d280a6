package syntheticreceiver

import (
	"context"
	"sync"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/receiver"
)

// sharedPlayers lets metrics and logs of one configuration come from one site.
type sharedPlayers struct {
	mu       sync.Mutex
	byConfig map[*Config]*player
}

func newSharedPlayers() *sharedPlayers {
	return &sharedPlayers{byConfig: make(map[*Config]*player)}
}

func (s *sharedPlayers) of(cfg *Config, set receiver.Settings) *player {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.byConfig[cfg]
	if p == nil {
		p = &player{cfg: cfg, set: set}
		s.byConfig[cfg] = p
	}
	return p
}

// signal is the metrics or the logs of a player, which plays while one of them runs.
type signal struct {
	shared  *sharedPlayers
	player  *player
	started bool
}

func (s *signal) Start(ctx context.Context, host component.Host) error {
	s.shared.mu.Lock()
	defer s.shared.mu.Unlock()
	if s.player.running == 0 {
		if err := s.player.start(ctx, host); err != nil {
			return err
		}
	}
	s.player.running++
	s.started = true
	return nil
}

func (s *signal) Shutdown(ctx context.Context) error {
	s.shared.mu.Lock()
	defer s.shared.mu.Unlock()
	if !s.started {
		return nil
	}
	s.started = false
	if s.player.running--; s.player.running > 0 {
		return nil
	}
	delete(s.shared.byConfig, s.player.cfg)
	return s.player.shutdown(ctx)
}
