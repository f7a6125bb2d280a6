package llmserver

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const image = "vllm/vllm-openai:v0.11.0"

// spec is what is found with image and nothing else, changed.
func spec(change func(*Spec)) Spec {
	s := Spec{Kind: KindVLLM, Port: DefaultPort, Version: "0.11.0"}
	change(&s)
	if s.Model != "" && s.ServedNames == nil {
		s.ServedNames = []string{s.Model}
	}
	return s
}

func model(name string) Spec { return spec(func(s *Spec) { s.Model = name }) }

func TestCommand(t *testing.T) {
	for name, tt := range map[string]struct {
		command []string
		want    Spec
	}{
		"serve":              {[]string{"vllm", "serve", "org/m"}, model("org/m")},
		"serve, model last":  {[]string{"vllm", "serve", "--port", "8000", "org/m"}, model("org/m")},
		"switch, then model": {[]string{"vllm", "serve", "--enforce-eager", "org/m"}, model("org/m")},
		"negation":           {[]string{"vllm", "serve", "--no-enable-prefix-caching", "org/m"}, model("org/m")},
		"serve by path":      {[]string{"/usr/local/bin/vllm", "serve", "/models/m"}, model("/models/m")},
		"serve --model":      {[]string{"vllm", "serve", "--model", "org/m"}, model("org/m")},
		"positional wins":    {[]string{"vllm", "serve", "org/a", "--model", "org/b"}, model("org/a")},
		"module":             {[]string{"python3", "-m", "vllm.entrypoints.openai.api_server", "--model", "org/m"}, model("org/m")},
		"module, equal sign": {[]string{"python", "-m", "vllm.entrypoints.openai.api_server", "--model=org/m"}, model("org/m")},
		"old module":         {[]string{"python3.10", "-u", "-m", "vllm.entrypoints.api_server", "--model", "m"}, model("m")},
		"cli module":         {[]string{"python3", "-m", "vllm.entrypoints.cli.main", "serve", "org/m"}, model("org/m")},
		"file":               {[]string{"python3", "/app/vllm/entrypoints/openai/api_server.py", "--model", "org/m"}, model("org/m")},
		"entrypoint script":  {[]string{"/entrypoint.sh", "--model", "org/m"}, model("org/m")},
		"script with serve":  {[]string{"/opt/nvidia/nvidia_entrypoint.sh", "serve", "org/m"}, model("org/m")},
		"nvidia script":      {[]string{"/opt/nvidia/nvidia_entrypoint.sh", "vllm", "serve", "org/m"}, model("org/m")},
		"tini":               {[]string{"tini", "--", "vllm", "serve", "org/m"}, model("org/m")},
		"no command at all":  {nil, model("")},
		"no arguments":       {[]string{"vllm", "serve"}, model("")},
		"shell":              {[]string{"sh", "-c", "vllm serve org/m"}, model("org/m")},
		"login shell":        {[]string{"/bin/bash", "-lc", "vllm serve org/m"}, model("org/m")},
		"shell with flags":   {[]string{"bash", "-e", "-c", "vllm serve org/m"}, model("org/m")},
		"shell, exec":        {[]string{"sh", "-c", "exec vllm serve 'org/m' > /log 2>&1"}, model("org/m")},
		"shell, after other": {[]string{"bash", "-c", "pip install x && export A=b; vllm serve org/m | tee log"}, model("org/m")},
		"shell, before":      {[]string{"bash", "-c", "vllm serve org/m &\nsleep infinity"}, model("org/m")},
		"shell, lines":       {[]string{"bash", "-c", "# start\nHF_TOKEN=[REDACTED] \\\n  vllm serve \\\n  \"org/m\"\n"}, model("org/m")},
		"shell in shell":     {[]string{"sh", "-c", `bash -c "python3 -m vllm.entrypoints.openai.api_server --model \"org/m\""`}, model("org/m")},
		"shell, subshell":    {[]string{"sh", "-c", "(vllm serve org/m#1)"}, model("org/m#1")},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := Detect(Source{Command: tt.command, Image: image})
			require.True(t, ok)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestNoServer(t *testing.T) {
	for _, command := range []string{
		"vllm bench serve --model m", "vllm chat", "vllm run-batch -i x", "bash", "/bin/sh -c ls", "sleep infinity", "nvidia-smi",
		"python3 train.py --model m", "/opt/nvidia/nvidia_entrypoint.sh bash", "ray start --head", "huggingface-cli download m",
	} {
		_, ok := Detect(Source{Command: strings.Fields(command), Image: image})
		assert.False(t, ok, command)
	}
	for _, src := range []Source{
		{},
		{Image: "postgres:17", Command: []string{"postgres", "--port", "1"}},
		{Image: "myvllmimage"},
		{Image: "nginx", Command: []string{"sh", "-c", ""}},
		{Image: image, Labels: map[string]string{"otelcol-llm.kind": "none"}, Command: []string{"vllm", "serve", "m"}},
		{Image: "ghcr.io/x/client", Command: []string{"ls", "/src/vllm"}},
	} {
		_, ok := Detect(src)
		assert.False(t, ok, src)
	}
	// Any image will do if the command is right.
	_, ok := Detect(Source{Image: "sha256:4711", Command: []string{"vllm", "serve", "m"}})
	assert.True(t, ok)
}

func TestArguments(t *testing.T) {
	for args, want := range map[string]func(*Spec){
		"--served-model-name a":                    func(s *Spec) { s.ServedNames = []string{"a"} },
		"--served-model-name a b --port 1":         func(s *Spec) { s.ServedNames, s.Port = []string{"a", "b"}, 1 },
		"--served-model-name a,b":                  func(s *Spec) { s.ServedNames = []string{"a", "b"} },
		"--served_model_name=a":                    func(s *Spec) { s.ServedNames = []string{"a"} },
		"--max-model-len 32768":                    func(s *Spec) { s.MaxModelLen = 32768 },
		"--max-model-len=32k":                      func(s *Spec) { s.MaxModelLen = 32000 },
		"--max-model-len=32K":                      func(s *Spec) { s.MaxModelLen = 32768 },
		"--max_model_len 1.5m":                     func(s *Spec) { s.MaxModelLen = 1500000 },
		"--max-model-len 1M":                       func(s *Spec) { s.MaxModelLen = 1 << 20 },
		"--max-model-len auto":                     func(s *Spec) { s.MaxModelLen = -1 },
		"--max-model-len -1":                       func(s *Spec) { s.MaxModelLen = -1 },
		"--max-model-len x":                        func(*Spec) {},
		"--max-model-len 99999999t":                func(*Spec) {},
		"--max-model-len=":                         func(*Spec) {},
		"--quantization fp8":                       func(s *Spec) { s.Quantization = "fp8" },
		"-q awq":                                   func(s *Spec) { s.Quantization = "awq" },
		"--dtype bfloat16":                         func(s *Spec) { s.DType = "bfloat16" },
		"--kv-cache-dtype=fp8_e5m2":                func(s *Spec) { s.KVCacheDType = "fp8_e5m2" },
		"--kv_cache_dtype fp8":                     func(s *Spec) { s.KVCacheDType = "fp8" },
		"-tp 4":                                    func(s *Spec) { s.TensorParallel = 4 },
		"-tp=4 -pp 2 -dp 8":                        func(s *Spec) { s.TensorParallel, s.PipelineParallel, s.DataParallel = 4, 2, 8 },
		"--tensor-parallel-size 2":                 func(s *Spec) { s.TensorParallel = 2 },
		"--tensor_parallel_size=2":                 func(s *Spec) { s.TensorParallel = 2 },
		"--pipeline-parallel-size 2":               func(s *Spec) { s.PipelineParallel = 2 },
		"--data-parallel-size 2":                   func(s *Spec) { s.DataParallel = 2 },
		"-tp x":                                    func(*Spec) {},
		"-tp 2 -tp 4":                              func(s *Spec) { s.TensorParallel = 4 },
		"--gpu-memory-utilization 0.85":            func(s *Spec) { s.GPUMemoryUtilization = 0.85 },
		"--gpu-memory-utilization=.9":              func(s *Spec) { s.GPUMemoryUtilization = 0.9 },
		"--gpu-memory-utilization 9":               func(*Spec) {},
		"--port 9000 --host 0.0.0.0":               func(s *Spec) { s.Port, s.Host = 9000, "0.0.0.0" },
		"--port 99999":                             func(*Spec) {},
		"--port 0":                                 func(*Spec) {},
		"--api-key [REDACTED] [REDACTED] --port 1": func(s *Spec) { s.APIKey, s.Port = true, 1 },
		"--api-key=[REDACTED]":                     func(s *Spec) { s.APIKey = true },
		"--config /etc/vllm.yaml":                  func(s *Spec) { s.ConfigFile = true },
		"--enable-lora":                            func(s *Spec) { s.LoRA = true },
		"--enable-lora --no-enable-lora":           func(*Spec) {},
		"--enable-lora --lora-modules a=/a b=/b": func(s *Spec) {
			s.LoRA, s.LoRAModules = true, []LoRAModule{{Name: "a", Path: "/a"}, {Name: "b", Path: "/b"}}
		},
		`--lora-modules {"name":"a","path":"/a","base_model_name":"m"} x`: func(s *Spec) { s.LoRAModules = []LoRAModule{{Name: "a", Path: "/a", BaseModel: "m"}} },
		"--ssl-certfile /c --ssl-keyfile /k":                              func(s *Spec) { s.TLS = true },
		"--root-path /llm/":                                               func(s *Spec) { s.RootPath = "/llm" },
		"--root-path /":                                                   func(*Spec) {},
		"--task embed":                                                    func(s *Spec) { s.Task = "embed" },
		"--runner pooling":                                                func(s *Spec) { s.Task = "pooling" },
		"--unknown value --unknown-switch":                                func(*Spec) {},
		"-- --seed -5":                                                    func(*Spec) {},
		"--hf-token [REDACTED]":                                           func(*Spec) {},
		"2>/dev/null --port 1":                                            func(*Spec) {},
	} {
		t.Run(args, func(t *testing.T) {
			got, ok := Detect(Source{Command: append([]string{"vllm", "serve", "org/m"}, strings.Fields(args)...), Image: image})
			require.True(t, ok)
			assert.Equal(t, spec(func(s *Spec) { s.Model = "org/m"; want(s) }), got)
			// The same, written as a script.
			if strings.ContainsAny(args, `{<>`) {
				return
			}
			got, ok = Detect(Source{Command: []string{"sh", "-c", "exec vllm serve org/m \\\n" + args}, Image: image})
			require.True(t, ok)
			assert.Equal(t, spec(func(s *Spec) { s.Model = "org/m"; want(s) }), got)
		})
	}
}

func TestEnvironment(t *testing.T) {
	src := Source{Image: image, Env: map[string]string{"VLLM_API_KEY": "[REDACTED]", "VLLM_MODEL": "org/m", "VLLM_SERVED_MODEL_NAME": "a b", "VLLM_PORT": "5"}}
	got, ok := Detect(src)
	require.True(t, ok)
	assert.Equal(t, spec(func(s *Spec) { s.Model, s.ServedNames, s.APIKey = "org/m", []string{"a", "b"}, true }), got, "VLLM_PORT is not for HTTP")

	src.Command = []string{"sh", "-c", "vllm serve $VLLM_MODEL --port ${PORT:-8100} --dtype ${DTYPE} --served-model-name $VLLM_SERVED_MODEL_NAME"}
	got, ok = Detect(src)
	require.True(t, ok)
	assert.Equal(t, spec(func(s *Spec) {
		s.Model, s.ServedNames, s.APIKey, s.Port = "org/m", []string{"a", "b"}, true, 8100
	}), got, "a variable that is not known says nothing")

	src.Env = map[string]string{"VLLM_ARGS": "-tp 2 --dtype half"}
	src.Command = []string{"sh", "-c", `vllm serve org/m $VLLM_ARGS`}
	got, _ = Detect(src)
	assert.Equal(t, spec(func(s *Spec) { s.Model, s.TensorParallel, s.DType = "org/m", 2, "half" }), got)
}

func TestLabels(t *testing.T) {
	yes := true
	got, ok := Detect(Source{
		Command: []string{"vllm", "serve", "org/m", "--port", "1", "-tp", "8"}, Image: image,
		Labels: map[string]string{
			"otelcol-llm.enabled": "true", "otelcol-llm.model": "org/other", "otelcol-llm.served-model-name": "a, b", "otelcol-llm.port": "8001",
			"otelcol-llm.max-model-len": "8k", "otelcol-llm.quantization": "fp8", "otelcol-llm.dtype": "half", "otelcol-llm.kv-cache-dtype": "fp8",
			"otelcol-llm.tensor_parallel_size": "2", "otelcol-llm.pipeline-parallel-size": "3", "otelcol-llm.data-parallel-size": "4",
			"otelcol-llm.gpu-memory-utilization": "0.5", "otelcol-llm.version": "0.12.0", "otelcol-llm.tls": "true", "otelcol-llm.host": "h",
			"otelcol-llm.root-path": "v", "otelcol-llm.task": "embed", "otelcol-llm.unknown": "x", "otelcol-llm.api-key": "", "other": "y",
		},
	})
	require.True(t, ok)
	assert.Equal(t, Spec{
		Kind: KindVLLM, Enabled: &yes, Model: "org/other", ServedNames: []string{"a", "b"}, Port: 8001, MaxModelLen: 8000, Quantization: "fp8",
		DType: "half", KVCacheDType: "fp8", TensorParallel: 2, PipelineParallel: 3, DataParallel: 4, GPUMemoryUtilization: 0.5, Version: "0.12.0",
		TLS: true, Host: "h", RootPath: "/v", Task: "embed",
	}, got)

	got, ok = Detect(Source{Image: "own/server:1", Labels: map[string]string{"otelcol-llm.model": "m", "otelcol-llm.enabled": "perhaps"}})
	require.True(t, ok, "a label makes anything a server")
	assert.Equal(t, Spec{Kind: KindVLLM, Model: "m", ServedNames: []string{"m"}, Port: DefaultPort}, got)
	_, ok = Detect(Source{Image: "own/server:1", Labels: map[string]string{"otelcol-llm.kind": "vLLM"}})
	assert.True(t, ok)
}

func TestImage(t *testing.T) {
	for image, want := range map[string]string{
		"vllm/vllm-openai:v0.11.0":                             "0.11.0",
		"vllm/vllm-openai:v0.11.0-cu129":                       "0.11.0",
		"vllm/vllm-openai:v0.6.3.post1":                        "0.6.3.post1",
		"vllm/vllm-openai:v0.10.1rc1":                          "0.10.1rc1",
		"registry:5000/mirror/vllm-openai:0.8.5@sha256:4711":   "0.8.5",
		"vllm/vllm-openai:latest":                              "",
		"vllm/vllm-openai:nightly":                             "",
		"vllm/vllm-openai":                                     "",
		"rocm/vllm:rocm6.4.1_vllm_0.10.1_20250909":             "0.10.1",
		"rocm/vllm:v0.9.1":                                     "0.9.1",
		"nvcr.io/nvidia/vllm:25.09-py3":                        "",
		"public.ecr.aws/q9t5s3a7/vllm-cpu-release-repo:v0.9.2": "0.9.2",
		"example.org/team/chat-vllm:1.2.3":                     "",
		"example.org/team/chat-vllm:1.2.3-vllm0.9.0":           "0.9.0",
	} {
		got, ok := Detect(Source{Image: image})
		assert.True(t, ok, image)
		assert.Equal(t, want, got.Version, image)
	}
}

// FuzzDetect looks for commands that end badly.
func FuzzDetect(f *testing.F) {
	for _, script := range []string{"vllm serve m", `bash -c "vllm 'x`, "vllm serve ${A:-b} \\", "sh -c sh -c sh", `vllm serve --lora-modules {"name":1} a=`} {
		f.Add(script)
	}
	f.Fuzz(func(t *testing.T, script string) {
		for _, command := range [][]string{{"sh", "-c", script}, strings.Fields(script)} {
			s, ok := Detect(Source{Command: command, Image: image, Env: map[string]string{"A": "b c"}})
			if ok && (s.Kind != KindVLLM || s.Port <= 0) {
				t.Fatalf("%q: %+v", command, s)
			}
		}
	})
}
