package dockerinventoryreceiver

import (
	"bufio"
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/otelcol-llm/otelcol-llm/internal/docker"
)

// procGPUs reads the GPUs from where NVIDIA's driver lists them, which needs
// neither its library nor a right:
// <proc>/driver/nvidia/gpus/<PCI address>/information, with lines such as
// "GPU UUID: 	 GPU-8b3c..." and "Device Minor: 	 0".
type procGPUs struct {
	root string
}

// GPUs returns the GPUs in the order of their PCI addresses, which is that of
// nvidia-smi and of the indices that people give to Docker. Without the driver
// there are none.
func (p procGPUs) GPUs() []docker.GPU {
	// Glob sorts, and the addresses have a fixed width.
	files, _ := filepath.Glob(filepath.Join(p.root, "driver", "nvidia", "gpus", "*", "information"))
	var gpus []docker.GPU
	for i, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it left while we looked
		}
		gpu := docker.GPU{Index: i, Minor: -1}
		for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
			key, value, _ := strings.Cut(lines.Text(), ":")
			value = strings.TrimSpace(value)
			switch key {
			case "GPU UUID":
				gpu.UUID = value
			case "Device Minor":
				if minor, err := strconv.Atoi(value); err == nil {
					gpu.Minor = minor
				}
			}
		}
		// A GPU that nothing has used since boot is listed as GPU-????????-...
		if gpu.UUID == "" || strings.Contains(gpu.UUID, "?") {
			continue
		}
		gpus = append(gpus, gpu)
	}
	return gpus
}
