package dockerstatsreceiver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/docker/docker/client"
	contrib "github.com/open-telemetry/opentelemetry-collector-contrib/receiver/dockerstatsreceiver"
)

const pingTimeout = 5 * time.Second

// engine is what must be known of Docker before contrib's receiver can start.
type engine struct {
	client *client.Client
}

func newEngine(cfg *contrib.Config) (*engine, error) {
	opts := []client.Opt{client.WithAPIVersionNegotiation()}
	if cfg.Endpoint == "" {
		opts = append(opts, client.WithHostFromEnv())
	} else {
		opts = append(opts, client.WithHost(cfg.Endpoint))
	}
	c, err := client.NewClientWithOpts(opts...)
	if err != nil {
		return nil, fmt.Errorf(`"endpoint" must be the address of a Docker engine, such as unix:///var/run/docker.sock or tcp://127.0.0.1:2375: %w`, err)
	}
	return &engine{client: c}, nil
}

// apiVersion asks the engine for the newest version that both sides know.
// Contrib's default is the oldest one there is, which new engines refuse; any
// other value is the user's choice and stays.
func (e *engine) apiVersion(ctx context.Context, configured string) (string, error) {
	ping, err := e.client.Ping(ctx)
	if err != nil {
		return "", err
	}
	if configured != contrib.NewFactory().CreateDefaultConfig().(*contrib.Config).DockerAPIVersion {
		return configured, nil
	}
	e.client.NegotiateAPIVersionPing(ping)
	return e.client.ClientVersion(), nil
}

// untilGone returns when the engine does not answer any more, or at the end of ctx.
func (e *engine) untilGone(ctx context.Context, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			asking, cancel := context.WithTimeout(ctx, pingTimeout)
			_, err := e.client.Ping(asking)
			cancel()
			if err != nil {
				return
			}
		}
	}
}

func (e *engine) endpoint() string { return e.client.DaemonHost() }

func (e *engine) close() { _ = e.client.Close() }

// hintFor says what to do about an engine that cannot be reached.
func hintFor(err error) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return "This user may not use the Docker socket: add it to the socket's group, or point the endpoint at a socket proxy."
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), client.IsErrConnectionFailed(err):
		return "Start Docker, set the endpoint to where it listens, or remove this receiver if there is none."
	default:
		return "See the log of the Docker engine."
	}
}
