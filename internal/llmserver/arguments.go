package llmserver

import (
	"encoding/json"
	"math"
	"path"
	"strconv"
	"strings"
)

// short are the short forms of flags.
// https://docs.vllm.ai/en/v0.11.0/cli/serve.html
var short = map[string]string{
	"-tp": "tensor-parallel-size", "-pp": "pipeline-parallel-size", "-dp": "data-parallel-size", "-q": "quantization",
	"-O": "compilation-config", "-dcp": "decode-context-parallel-size", "-n": "nnodes", "-r": "node-rank",
	"-dpn": "data-parallel-rank", "-dpr": "data-parallel-start-rank", "-dpl": "data-parallel-size-local",
	"-dpa": "data-parallel-address", "-dpp": "data-parallel-rpc-port", "-dpb": "data-parallel-backend",
}

// switches take no value, so that a word after them is the model.
var switches = map[string]bool{
	"enable-lora": true, "enforce-eager": true, "trust-remote-code": true, "enable-prefix-caching": true, "enable-chunked-prefill": true,
	"disable-log-requests": true, "disable-log-stats": true, "enable-auto-tool-choice": true, "enable-expert-parallel": true,
	"headless": true, "enable-log-requests": true, "enable-sleep-mode": true, "enable-reasoning": true, "async-scheduling": true,
	"enable-server-load-tracking": true, "enable-request-id-headers": true, "enable-force-include-usage": true, "use-v2-block-manager": true,
	"disable-custom-all-reduce": true, "disable-fastapi-docs": true, "disable-frontend-multiprocessing": true, "allow-credentials": true,
	"calculate-kv-scales": true, "disable-sliding-window": true, "disable-cascade-attn": true, "enable-prompt-tokens-details": true,
	"enable-prompt-embeds": true, "enable-tokenizer-info-endpoint": true, "enable-ssl-refresh": true, "return-tokens-as-token-ids": true,
	"skip-tokenizer-init": true, "enable-lora-bias": true, "fully-sharded-loras": true, "use-tqdm-on-load": true, "ray-workers-use-nsight": true,
	"data-parallel-hybrid-lb": true, "data-parallel-external-lb": true, "enable-eplb": true, "enable-dbo": true, "disable-async-output-proc": true,
	"multi-step-stream-outputs": true, "engine-use-ray": true, "worker-use-ray": true, "enable-multimodal-encoder-data-parallel": true,
}

// readArguments reads the command line of the server. A flag that comes twice
// counts the last time.
func (s *Spec) readArguments(args []string) {
	positional := ""
	for i := 0; i < len(args); {
		arg := args[i]
		i++
		if endsCommand(arg) {
			break
		}
		if arg == "--" || arg == "" {
			continue
		}
		if !strings.HasPrefix(arg, "-") {
			if positional == "" {
				positional = arg
			}
			continue
		}
		name, value, hasValue := strings.Cut(arg, "=")
		flag := flagName(name)
		var values []string
		switch {
		case hasValue:
			values = []string{value}
		case switches[flag] || strings.HasPrefix(flag, "no-"):
		default:
			for i < len(args) && isValue(args[i]) && !endsCommand(args[i]) && (len(values) == 0 || several[flag]) {
				values = append(values, args[i])
				i++
			}
		}
		s.readFlag(flag, values)
	}
	// In vllm serve the positional argument wins over --model.
	if positional != "" {
		s.Model = positional
	}
}

// several are the flags that take more than one value.
var several = map[string]bool{"served-model-name": true, "lora-modules": true, "api-key": true, "prompt-adapters": true, "middleware": true}

// endsCommand finds what a shell would not pass on.
func endsCommand(arg string) bool {
	return strings.HasPrefix(arg, ">") || strings.HasPrefix(arg, "2>") || strings.HasPrefix(arg, "1>") || strings.HasPrefix(arg, "<")
}

// isValue tells a value from the next flag; negative numbers are values.
func isValue(arg string) bool {
	if !strings.HasPrefix(arg, "-") {
		return true
	}
	_, err := strconv.ParseFloat(arg, 64)
	return err == nil
}

// flagName is the long name with dashes: vLLM takes underscores too.
func flagName(name string) string {
	if long, ok := short[name]; ok {
		return long
	}
	return strings.ReplaceAll(strings.TrimLeft(name, "-"), "_", "-")
}

func (s *Spec) readFlag(flag string, values []string) {
	value := ""
	if len(values) > 0 {
		value = values[0]
	}
	switch flag {
	case "api-key":
		s.APIKey = true
		return
	case "config":
		s.ConfigFile = true
		return
	case "enable-lora":
		s.LoRA = true
		return
	case "no-enable-lora":
		s.LoRA = false
		return
	}
	if value == "" {
		return
	}
	switch flag {
	case "model", "model-tag":
		s.Model = value
	case "served-model-name":
		s.ServedNames = nil
		for _, name := range values {
			s.ServedNames = append(s.ServedNames, split(name)...)
		}
	case "max-model-len":
		s.MaxModelLen = length(value)
	case "quantization":
		s.Quantization = value
	case "dtype":
		s.DType = value
	case "kv-cache-dtype":
		s.KVCacheDType = value
	case "tensor-parallel-size":
		s.TensorParallel = size(value)
	case "pipeline-parallel-size":
		s.PipelineParallel = size(value)
	case "data-parallel-size":
		s.DataParallel = size(value)
	case "gpu-memory-utilization":
		s.GPUMemoryUtilization = fraction(value)
	case "host":
		s.Host = value
	case "port":
		s.setPort(value)
	case "ssl-certfile", "ssl-keyfile":
		s.TLS = true
	case "root-path":
		s.RootPath = rootPath(value)
	case "task", "runner":
		s.Task = value
	case "lora-modules":
		s.readLoRA(values)
	}
}

func (s *Spec) setPort(text string) {
	if port, err := strconv.ParseUint(strings.TrimSpace(text), 10, 16); err == nil && port > 0 {
		s.Port = int(port)
	}
}

// readLoRA reads name=path or {"name": ..., "path": ..., "base_model_name": ...}.
func (s *Spec) readLoRA(values []string) {
	s.LoRAModules = nil
	for _, value := range values {
		var document struct {
			Name      string `json:"name"`
			Path      string `json:"path"`
			BaseModel string `json:"base_model_name"`
		}
		if json.Unmarshal([]byte(value), &document) == nil && document.Name != "" {
			s.LoRAModules = append(s.LoRAModules, LoRAModule{Name: document.Name, Path: document.Path, BaseModel: document.BaseModel})
			continue
		}
		if name, file, ok := strings.Cut(value, "="); ok && name != "" {
			s.LoRAModules = append(s.LoRAModules, LoRAModule{Name: name, Path: file})
		}
	}
}

// readLabels lets the operator have the last word.
func (s *Spec) readLabels(labels map[string]string) {
	for key, value := range labels {
		name, ok := strings.CutPrefix(key, LabelPrefix)
		value = strings.TrimSpace(value)
		if !ok || value == "" {
			continue
		}
		switch name = flagName(name); name {
		case "enabled":
			if on, err := strconv.ParseBool(value); err == nil {
				s.Enabled = &on
			}
		case "version":
			s.Version = value
		case "tls":
			s.TLS, _ = strconv.ParseBool(value)
		case "model", "served-model-name", "max-model-len", "quantization", "dtype", "kv-cache-dtype", "tensor-parallel-size",
			"pipeline-parallel-size", "data-parallel-size", "gpu-memory-utilization", "host", "port", "root-path", "task":
			s.readFlag(name, []string{value})
		}
	}
}

// length reads a number of tokens: 32768, 32k (thousands), 32K (1024), 1.5k, -1 or auto.
// https://github.com/vllm-project/vllm/blob/v0.11.0/vllm/engine/arg_utils.py, human_readable_int
func length(text string) int64 {
	if strings.EqualFold(text, "auto") || text == "-1" {
		return -1
	}
	scale := 1.0
	if text != "" {
		if i := strings.IndexByte("kmgt", text[len(text)-1]); i >= 0 {
			scale = math.Pow(1000, float64(i+1))
		} else if i := strings.IndexByte("KMGT", text[len(text)-1]); i >= 0 {
			scale = math.Pow(1024, float64(i+1))
		}
		if scale > 1 {
			text = text[:len(text)-1]
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || !(n > 0) || n*scale > math.MaxInt64/2 {
		return 0
	}
	return int64(n * scale)
}

func size(text string) int {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0
	}
	return int(n)
}

func fraction(text string) float64 {
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || !(f > 0 && f <= 1) {
		return 0
	}
	return f
}

func rootPath(text string) string {
	if clean := path.Clean("/" + text); clean != "/" {
		return clean
	}
	return ""
}
