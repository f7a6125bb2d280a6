package docker

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/otelcol-llm/otelcol-llm/internal/simulator"
)

// many are containers as a compose file makes them.
func many(n int) []simulator.DockerContainer {
	var all []simulator.DockerContainer
	for i := range n {
		name := fmt.Sprintf("stack-service-%d", i)
		all = append(all, simulator.DockerContainer{
			Name: name, Image: fmt.Sprintf("registry.example.org/team/service-%d:v1.2.%d", i%50, i%7), Pid: 1000 + i,
			Labels: map[string]string{
				"com.docker.compose.project": "stack", "com.docker.compose.service": name, "com.docker.compose.config-hash": simulator.DockerID(name),
				"com.docker.compose.container-number": "1", "com.docker.compose.oneoff": "False", "com.docker.compose.version": "2.39.1",
				"org.opencontainers.image.source": "https://example.org/team/service", "maintainer": "team@example.org",
			},
			Env:      []string{"PATH=/usr/bin", "NVIDIA_VISIBLE_DEVICES=all", "CUDA_VERSION=12.9.1", "NVIDIA_REQUIRE_CUDA=cuda>=12.0", "HF_TOKEN=x"},
			Cmd:      []string{"vllm", "serve", "org/model", "--port", "8000", "--tensor-parallel-size", "2"},
			Networks: []simulator.DockerNetwork{{Name: "stack_default", IP: "172.18.0.2", Aliases: []string{name}}},
			Ports:    []container.Port{{PrivatePort: 8000, PublicPort: 8000, Type: "tcp"}},
			Mounts:   []container.MountPoint{{Type: "bind", Source: "/srv/models", Destination: "/models"}},
		})
	}
	return all
}

var sizes = []int{500, 5000}

func benchWatcher(b *testing.B, n int, proc string) (w *Watcher, memory uint64, took time.Duration) {
	b.Helper()
	engine := simulator.NewDocker(simulator.DockerConfig{Containers: many(n)})
	if err := engine.Listen(b.Context(), "unix://"+b.TempDir()+"/docker.sock", nil); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(engine.Shutdown)
	cfg := NewDefaultConfig()
	cfg.Endpoint, cfg.ProcRoot = engine.Endpoint(), proc
	var before, after runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&before)
	began := time.Now()
	w = newWatcher(cfg, nil)
	w.start()
	b.Cleanup(w.stop)
	<-w.Ready()
	took = time.Since(began)
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&after)
	return w, after.HeapAlloc - min(before.HeapAlloc, after.HeapAlloc), took
}

// BenchmarkStart lists and inspects all containers, the simulated engine's share included.
func BenchmarkStart(b *testing.B) {
	for _, n := range sizes {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				_, memory, took := benchWatcher(b, n, b.TempDir())
				b.ReportMetric(float64(memory)/float64(n), "heap-B/container")
				b.ReportMetric(float64(took.Milliseconds()), "ms")
			}
		})
	}
}

func BenchmarkGet(b *testing.B) {
	for _, n := range sizes {
		w, _, _ := benchWatcher(b, n, b.TempDir())
		id := simulator.DockerID("stack-service-7")
		for name, id := range map[string]string{"id": id, "short": id[:shortID], "unknown": idA} {
			b.Run(fmt.Sprint(n, "/", name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, _ = w.Get(id)
				}
			})
		}
	}
}

func BenchmarkByPID(b *testing.B) {
	for _, n := range sizes {
		root := b.TempDir()
		w, _, _ := benchWatcher(b, n, root)
		p := fakeProc{b, root}
		p.process(41, 1, "0::/docker/"+simulator.DockerID("stack-service-7"))
		b.Run(fmt.Sprint(n, "/cached"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, known := w.ByPID(41); !known {
					b.Fatal("not known")
				}
			}
		})
		b.Run(fmt.Sprint(n, "/new"), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				clear(w.cgroups.cache)
				_, _ = w.ByPID(41)
			}
		})
	}
}
