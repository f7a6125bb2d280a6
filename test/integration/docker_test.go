//go:build integration

package integration

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
	"github.com/stretchr/testify/require"
)

// docker is the engine of this machine. CI has one; elsewhere the test is skipped.
func docker(t *testing.T) *client.Client {
	t.Helper()
	c, err := client.NewClientWithOpts(client.FromEnv, client.WithAPIVersionNegotiation())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	if _, err := c.Ping(t.Context()); err != nil {
		t.Skipf("no Docker engine: %v", err)
	}
	return c
}

// programImage imports testdata/<name>, statically linked, as an image of one file.
func programImage(t *testing.T, engine *client.Client, name, tag string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	build := exec.Command("go", "build", "-o", path, "./testdata/"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	program, err := os.ReadFile(path)
	require.NoError(t, err)

	var root bytes.Buffer
	files := tar.NewWriter(&root)
	require.NoError(t, files.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(program))}))
	_, err = files.Write(program)
	require.NoError(t, err)
	require.NoError(t, files.Close())
	answer, err := engine.ImageImport(t.Context(), image.ImportSource{Source: &root, SourceName: "-"}, tag,
		image.ImportOptions{Changes: []string{`ENTRYPOINT ["/` + name + `"]`}})
	require.NoError(t, err)
	defer answer.Close()
	_, err = io.Copy(io.Discard, answer)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, _ = engine.ImageRemove(context.Background(), tag, image.RemoveOptions{Force: true})
	})
}

// runContainer starts a container and removes it at the end of the test. It returns the id.
func runContainer(t *testing.T, engine *client.Client, name string, config *container.Config, host *container.HostConfig) string {
	t.Helper()
	created, err := engine.ContainerCreate(t.Context(), config, host, nil, nil, name)
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = engine.ContainerRemove(context.Background(), created.ID, container.RemoveOptions{Force: true})
	})
	require.NoError(t, engine.ContainerStart(t.Context(), created.ID, container.StartOptions{}))
	return created.ID
}
