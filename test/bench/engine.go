//go:build linux

package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

const (
	// engineCommand makes this program the Docker engine.
	engineCommand = "engine"
	// churnPeriod is the time between two changes. With each one container dies and another starts.
	churnPeriod = 500 * time.Millisecond
)

// engineAddresses is what the engine says once it serves.
type engineAddresses struct {
	Endpoint string `json:"endpoint"`
	// Control answers engineCounts.
	Control string `json:"control"`
}

// engineCounts says what was asked and what happened.
type engineCounts struct {
	Stats    int64 `json:"stats"`
	Inspects int64 `json:"inspects"`
	Changes  int64 `json:"changes"` // each is a die and a start
}

// serveEngine plays a Docker engine with n containers that run.
func serveEngine(ctx context.Context, n int, stdin io.Reader, stdout io.Writer) error {
	folder, err := os.MkdirTemp("", "otelcol-llm-bench-engine-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	containers := compose(n)
	engine := simulator.NewDocker(simulator.DockerConfig{Containers: containers})
	stats := &statsFront{next: engine.Handler()}
	if err := engine.Listen(ctx, "unix://"+filepath.Join(folder, "docker.sock"), stats); err != nil {
		return err
	}
	var changes atomic.Int64
	failed := make(chan error, 1)
	control, err := serveControl(func() any {
		return engineCounts{Stats: stats.served.Load(), Inspects: int64(engine.Requests()["inspect"]), Changes: changes.Load()}
	}, failed)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	churned := make(chan struct{})
	go func() {
		defer close(churned)
		churn(ctx, engine, containers, &changes)
	}()
	err = beChild(ctx, engineAddresses{Endpoint: engine.Endpoint(), Control: control}, failed, stdin, stdout)
	cancel()
	<-churned
	engine.Shutdown()
	return err
}

// churn lets one container after the other die, and start again with the next change.
func churn(ctx context.Context, engine *simulator.Docker, containers []simulator.DockerContainer, changes *atomic.Int64) {
	tick := time.NewTicker(churnPeriod)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if i > 0 {
			engine.Start(containers[(i-1)%len(containers)].Name)
		}
		engine.Die(containers[i%len(containers)].Name, 0)
		changes.Add(1)
	}
}

// statsFront answers requests for stats as a Docker engine does: in full, and late.
type statsFront struct {
	next   http.Handler
	served atomic.Int64
}

var statsPath = regexp.MustCompile(`/containers/([0-9a-f]{64})/stats$`)

func (f *statsFront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m := statsPath.FindStringSubmatch(r.URL.Path)
	if m == nil {
		f.next.ServeHTTP(w, r)
		return
	}
	// The engine looks at all containers once in a second, and answers what has changed between two looks.
	look := time.Now().Truncate(time.Second).Add(2 * time.Second)
	wait := time.NewTimer(time.Until(look))
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-r.Context().Done():
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(statsOf(m[1], look))
	f.served.Add(1)
}

// engineServer is the engine as the bench sees it.
type engineServer struct {
	engineAddresses
	*child
}

func startEngine(n int) (*engineServer, error) {
	var s engineServer
	var err error
	s.child, err = startChild(engineCommand, n, &s.engineAddresses)
	return &s, err
}

func (s *engineServer) counts(ctx context.Context) (c engineCounts, err error) {
	return c, ask(ctx, s.Control, &c)
}
