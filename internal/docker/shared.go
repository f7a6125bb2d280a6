package docker

import (
	"cmp"
	"os"
	"sync"

	"github.com/docker/docker/client"
	"go.uber.org/zap"
)

// shared holds the watchers that run, by their configuration.
var shared = struct {
	mu  sync.Mutex
	use map[Config]*use
}{use: make(map[Config]*use)}

type use struct {
	watcher *Watcher
	count   int
}

// Acquire returns the watcher for a configuration, which is shared with all
// others that acquired an equal one. It begins with the first and ends with the
// last release, which waits for it. The error is about the configuration: an
// engine that does not answer is none. The first caller's logger is used; nil is
// none.
func Acquire(cfg Config, logger *zap.Logger) (w *Watcher, release func(), err error) {
	if err := cfg.Validate(); err != nil {
		return nil, nil, err
	}
	cfg = cfg.canonical()
	shared.mu.Lock()
	defer shared.mu.Unlock()
	u := shared.use[cfg]
	if u == nil {
		u = &use{watcher: newWatcher(cfg, logger)}
		u.watcher.start()
		shared.use[cfg] = u
	}
	u.count++
	return u.watcher, sync.OnceFunc(func() {
		shared.mu.Lock()
		u.count--
		last := u.count == 0
		if last {
			delete(shared.use, cfg)
		}
		shared.mu.Unlock()
		if last {
			u.watcher.stop()
		}
	}), nil
}

// canonical makes configurations equal that mean the same.
func (c *Config) canonical() Config {
	same := *c
	same.ProcRoot = c.ProcDir()
	// With certificates in the environment, the empty endpoint means more than an address.
	if c.Endpoint == "" && os.Getenv(client.EnvOverrideCertPath) == "" {
		same.Endpoint = cmp.Or(os.Getenv(client.EnvOverrideHost), client.DefaultDockerHost)
	}
	return same
}
