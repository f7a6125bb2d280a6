package docker

import (
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/stretchr/testify/assert"
)

func uuid(digit string) string { return "GPU-" + digit + "0000000-0000-0000-0000-000000000000" }

// devices are out of order, with minor numbers the other way around.
func devices() []GPU {
	return []GPU{
		{Index: 1, Minor: 2, UUID: uuid("b"), MIGs: []string{"MIG-b0", "MIG-b1"}},
		{Index: 0, Minor: 3, UUID: uuid("a")},
		{Index: 3, Minor: 0, UUID: uuid("d")},
		{Index: 2, Minor: 1, UUID: uuid("c")},
	}
}

func TestGPUs(t *testing.T) {
	gpu := [][]string{{"gpu"}}
	all := []string{uuid("a"), uuid("b"), uuid("c"), uuid("d")}
	request := func(r ...container.DeviceRequest) container.HostConfig {
		return container.HostConfig{Resources: container.Resources{DeviceRequests: r}}
	}
	mapped := func(paths ...string) container.HostConfig {
		var host container.HostConfig
		for _, path := range paths {
			host.Devices = append(host.Devices, container.DeviceMapping{PathOnHost: path})
		}
		return host
	}
	nvidia := container.HostConfig{Runtime: "nvidia"}
	visible := func(value string) map[string]string { return map[string]string{"NVIDIA_VISIBLE_DEVICES": value} }
	for name, tt := range map[string]struct {
		host     container.HostConfig
		env      map[string]string
		want     GPUs
		resolved []string
	}{
		"nothing":               {resolved: nil},
		"--gpus all":            {host: request(container.DeviceRequest{Count: -1, Capabilities: gpu}), want: GPUs{All: true, Source: SourceDeviceRequests}, resolved: all},
		"--gpus 2":              {host: request(container.DeviceRequest{Count: 2, Capabilities: gpu}), want: GPUs{Count: 2, Source: SourceDeviceRequests}, resolved: all[:2]},
		"--gpus 9":              {host: request(container.DeviceRequest{Count: 9, Driver: "nvidia"}), want: GPUs{Count: 9, Source: SourceDeviceRequests}, resolved: all},
		"device=2":              {host: request(container.DeviceRequest{DeviceIDs: []string{"2"}, Capabilities: gpu}), env: visible("all"), want: GPUs{IDs: []string{"2"}, Source: SourceDeviceRequests}, resolved: all[2:3]},
		"device=uuid":           {host: request(container.DeviceRequest{DeviceIDs: []string{uuid("c"), "GPU-a000", "x"}, Capabilities: gpu}), want: GPUs{IDs: []string{uuid("c"), "GPU-a000", "x"}, Source: SourceDeviceRequests}, resolved: []string{all[0], all[2]}},
		"two requests":          {host: request(container.DeviceRequest{DeviceIDs: []string{"3"}, Driver: "nvidia"}, container.DeviceRequest{DeviceIDs: []string{"0", "3"}, Driver: "nvidia"}), want: GPUs{IDs: []string{"3", "0"}, Source: SourceDeviceRequests}, resolved: []string{all[0], all[3]}},
		"other device":          {host: request(container.DeviceRequest{Count: -1, Capabilities: [][]string{{"tpu"}}}, container.DeviceRequest{Driver: "amd", Count: -1}), resolved: nil},
		"MIG":                   {host: request(container.DeviceRequest{DeviceIDs: []string{"MIG-b1"}, Capabilities: gpu}), want: GPUs{IDs: []string{"MIG-b1"}, Source: SourceDeviceRequests}, resolved: []string{"MIG-b1"}},
		"CDI":                   {host: request(container.DeviceRequest{Driver: "cdi", DeviceIDs: []string{"nvidia.com/gpu=1", "vendor.com/net=0"}}), want: GPUs{IDs: []string{"1"}, Source: SourceDeviceRequests}, resolved: all[1:2]},
		"CDI all":               {host: request(container.DeviceRequest{Driver: "cdi", DeviceIDs: []string{"nvidia.com/gpu=all"}}), want: GPUs{All: true, Source: SourceDeviceRequests}, resolved: all},
		"CDI MIG":               {host: request(container.DeviceRequest{Driver: "cdi", DeviceIDs: []string{"nvidia.com/gpu=1:0"}}), want: GPUs{IDs: []string{"1:0"}, Source: SourceDeviceRequests}, resolved: []string{"MIG-b0"}},
		"env, all":              {host: nvidia, env: visible("all"), want: GPUs{All: true, Source: SourceEnv}, resolved: all},
		"env, list":             {host: nvidia, env: visible("3, 1"), want: GPUs{IDs: []string{"3", "1"}, Source: SourceEnv}, resolved: []string{all[1], all[3]}},
		"env, MIG pairs":        {host: nvidia, env: visible("1:1,2:0,7:0,x:y"), want: GPUs{IDs: []string{"1:1", "2:0", "7:0", "x:y"}, Source: SourceEnv}, resolved: []string{"MIG-b1", all[2]}},
		"env, none":             {host: nvidia, env: visible("none")},
		"env, void":             {host: nvidia, env: visible("void")},
		"env, empty":            {host: nvidia, env: visible("")},
		"env, unset":            {host: nvidia},
		"env, other runtime":    {host: container.HostConfig{Runtime: "runc"}, env: visible("all")},
		"env, runtime by path":  {host: container.HostConfig{Runtime: "/usr/bin/nvidia-container-runtime"}, env: visible("0"), want: GPUs{IDs: []string{"0"}, Source: SourceEnv}, resolved: all[:1]},
		"env, CDI":              {host: nvidia, env: visible("nvidia.com/gpu=0,runtime.nvidia.com/gpu=1"), want: GPUs{IDs: []string{"0", "1"}, Source: SourceEnv}, resolved: all[:2]},
		"devices by minor":      {host: mapped("/dev/nvidia0", "/dev/nvidiactl", "/dev/nvidia-uvm", "/dev/dri", "/dev/nvidia3"), want: GPUs{IDs: []string{"0", "3"}, Source: SourceDevices}, resolved: []string{all[0], all[3]}},
		"devices, not there":    {host: mapped("/dev/nvidia9"), want: GPUs{IDs: []string{"9"}, Source: SourceDevices}},
		"annotations":           {host: container.HostConfig{Annotations: map[string]string{"cdi.k8s.io/x": "nvidia.com/gpu=2,nvidia.com/mig=1:0", "other": "a=b"}}, want: GPUs{IDs: []string{"2", "1:0"}, Source: SourceAnnotations}, resolved: []string{"MIG-b0", all[2]}},
		"CUDA_VISIBLE_DEVICES":  {host: nvidia, env: map[string]string{"NVIDIA_VISIBLE_DEVICES": "1,2,3", "CUDA_VISIBLE_DEVICES": "2, 0,0"}, want: GPUs{IDs: []string{"1", "2", "3"}, Visible: []string{"2", "0", "0"}, Source: SourceEnv}, resolved: []string{all[1], all[3]}},
		"CUDA, by UUID":         {host: nvidia, env: map[string]string{"NVIDIA_VISIBLE_DEVICES": "all", "CUDA_VISIBLE_DEVICES": uuid("c")}, want: GPUs{All: true, Visible: []string{uuid("c")}, Source: SourceEnv}, resolved: all[2:3]},
		"CUDA, ends at a wrong": {host: nvidia, env: map[string]string{"NVIDIA_VISIBLE_DEVICES": "all", "CUDA_VISIBLE_DEVICES": "1,-1,2"}, want: GPUs{All: true, Visible: []string{"1", "-1", "2"}, Source: SourceEnv}, resolved: all[1:2]},
		"CUDA, empty is none":   {host: nvidia, env: map[string]string{"NVIDIA_VISIBLE_DEVICES": "all", "CUDA_VISIBLE_DEVICES": ""}, want: GPUs{All: true, Visible: []string{}, Source: SourceEnv}},
		"CUDA without any GPU":  {env: map[string]string{"CUDA_VISIBLE_DEVICES": "0"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := assignedGPUs(&tt.host, tt.env)
			assert.Equal(t, tt.want, got)
			assert.Equal(t, tt.want.Source == "", got.None())
			assert.Equal(t, tt.resolved, got.Resolve(devices()))
			assert.Empty(t, got.Resolve(nil))
		})
	}
}

func TestGPUsString(t *testing.T) {
	tests := []struct {
		name string
		gpus GPUs
		want string
	}{
		{name: "none"},
		{name: "all", gpus: GPUs{All: true, Source: SourceDeviceRequests}, want: "all"},
		{name: "all, but", gpus: GPUs{All: true, Visible: []string{"1", "GPU-2"}}, want: "1,GPU-2"},
		{name: "all, none visible", gpus: GPUs{All: true, Visible: []string{}}, want: ""},
		{name: "first", gpus: GPUs{Count: 3}, want: "0,1,2"},
		{name: "first, but", gpus: GPUs{Count: 3, Visible: []string{"2", "0"}}, want: "2,0"},
		{name: "absurd", gpus: GPUs{Count: 1 << 40, Visible: []string{"255", "256"}}, want: "255"},
		{name: "chosen", gpus: GPUs{IDs: []string{"2", "GPU-ab"}}, want: "2,GPU-ab"},
		{name: "chosen, by number", gpus: GPUs{IDs: []string{"4", "5"}, Visible: []string{"1"}}, want: "5"},
		{name: "chosen, by UUID", gpus: GPUs{IDs: []string{"GPU-ab", "GPU-cd"}, Visible: []string{"GPU-c"}}, want: "GPU-cd"},
		{name: "up to the first wrong one", gpus: GPUs{IDs: []string{"4", "5"}, Visible: []string{"0", "-1", "1"}}, want: "4"},
		{name: "devices", gpus: GPUs{IDs: []string{"0", "3"}, Source: SourceDevices}, want: "/dev/nvidia0,/dev/nvidia3"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := append([]string(nil), tt.gpus.IDs...)
			assert.Equal(t, tt.want, tt.gpus.String())
			assert.Equal(t, before, append([]string(nil), tt.gpus.IDs...), "the container is shared")
		})
	}
}
