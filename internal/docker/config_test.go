package docker

import (
	"testing"
	"time"

	"github.com/docker/docker/client"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDefaultConfig(t *testing.T) {
	t.Setenv(client.EnvOverrideHost, "")
	cfg := NewDefaultConfig()
	require.NoError(t, cfg.Validate())
	assert.Equal(t, "/proc", cfg.ProcDir())
}

func TestValidate(t *testing.T) {
	for want, change := range map[error]func(*Config){
		ErrEndpoint:       func(c *Config) { c.Endpoint = "docker" },
		ErrTimeout:        func(c *Config) { c.Timeout = time.Millisecond },
		ErrResyncInterval: func(c *Config) { c.ResyncInterval = 0 },
		ErrMaxContainers:  func(c *Config) { c.MaxContainers = 0 },
		ErrKeepGone:       func(c *Config) { c.KeepGone = -1 },
		ErrProcRoot:       func(c *Config) { c.ProcRoot = "proc" },
	} {
		cfg := NewDefaultConfig()
		change(&cfg)
		err := cfg.Validate()
		require.ErrorIs(t, err, want)
		assert.Regexp(t, `^"\w+" must`, err.Error(), "it names the key and what would be right")
		_, _, err = Acquire(cfg, nil)
		assert.ErrorIs(t, err, want)
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv(client.EnvOverrideHost, "tcp://127.0.0.1:2375")
	t.Setenv("HOST_PROC", "/hostfs/proc/")
	cfg := NewDefaultConfig()
	assert.Equal(t, "/hostfs/proc", cfg.ProcDir())
	same := cfg.canonical()
	assert.Equal(t, "tcp://127.0.0.1:2375", same.Endpoint)
	cfg.Endpoint, cfg.ProcRoot = "tcp://127.0.0.1:2375", "/hostfs/proc"
	assert.Equal(t, same, cfg.canonical(), "what means the same is shared")

	cfg.Endpoint = ""
	t.Setenv(client.EnvOverrideCertPath, t.TempDir())
	assert.Empty(t, cfg.canonical().Endpoint)
	require.ErrorIs(t, cfg.Validate(), ErrEnvironment, "no certificates there")
}
