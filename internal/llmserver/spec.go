package llmserver

import (
	"regexp"
	"slices"
	"strings"
)

// KindVLLM is a vLLM server.
const KindVLLM = "vllm"

// DefaultPort is where vLLM listens unless told otherwise.
const DefaultPort = 8000

// LabelPrefix begins the labels by which an operator corrects what is found.
const LabelPrefix = "otelcol-llm."

// Source is what is known of a container.
type Source struct {
	Labels, Env map[string]string
	// Command is the entrypoint and its arguments, the image's own included.
	Command []string
	// Image is the reference that the container was created from.
	Image string
}

// Spec is what a server was told to serve. The zero value of a field is "not said".
type Spec struct {
	// Kind is KindVLLM.
	Kind string
	// Enabled is the label otelcol-llm.enabled. Nil is not said.
	Enabled *bool
	// Model is a name in a hub or a path, as given.
	Model string
	// ServedNames are the names to use in requests. Without --served-model-name it is Model.
	ServedNames []string
	// MaxModelLen is in tokens, -1 for "auto".
	MaxModelLen int64
	// Quantization is often in the model's own configuration only: empty is not "none".
	Quantization, DType, KVCacheDType              string
	TensorParallel, PipelineParallel, DataParallel int
	GPUMemoryUtilization                           float64
	// Host is the address that the server binds to.
	Host string
	// Port is never zero.
	Port int
	// TLS is https.
	TLS bool
	// RootPath is a prefix of all paths, for a proxy in front.
	RootPath string
	// Version is from the image's tag, such as "0.11.0".
	Version string
	// ConfigFile says that there are more arguments in a file.
	ConfigFile bool
	// APIKey says that requests need a key. The key itself is not here.
	APIKey bool
	// LoRA is whether adapters can be loaded; LoRAModules are those that are from the start.
	LoRA        bool
	LoRAModules []LoRAModule
	// Task is what the model is used for, such as "generate", "embed" or "pooling".
	Task string
}

// LoRAModule is an adapter that is served under a name of its own.
type LoRAModule struct {
	Name, Path string
	// BaseModel is empty for the server's model.
	BaseModel string
}

// Detect returns what a container serves, and false for one that is no server, or none that is known.
func Detect(src Source) (Spec, bool) {
	spec := Spec{Port: DefaultPort}
	args, found := findServer(src.Command, src.Image)
	if kind := src.Labels[LabelPrefix+"kind"]; kind != "" {
		found = strings.EqualFold(strings.TrimSpace(kind), KindVLLM)
	} else if src.Labels[LabelPrefix+"model"] != "" {
		found = true
	}
	if !found {
		return Spec{}, false
	}
	spec.Kind = KindVLLM
	spec.Version = imageVersion(src.Image)
	spec.readEnv(src.Env)
	spec.readArguments(expand(args, src.Env))
	spec.readLabels(src.Labels)
	if len(spec.ServedNames) == 0 && spec.Model != "" {
		spec.ServedNames = []string{spec.Model}
	}
	return spec, true
}

// readEnv reads what vLLM or its image take from the environment.
// https://docs.vllm.ai/en/v0.11.0/configuration/env_vars.html
// VLLM_PORT is no HTTP port: it is for the engines among themselves.
func (s *Spec) readEnv(env map[string]string) {
	s.APIKey = env["VLLM_API_KEY"] != ""
	// Not vLLM's own, but many start scripts and charts use them.
	set := func(key string, use func(string)) {
		if value := strings.TrimSpace(env[key]); value != "" {
			use(value)
		}
	}
	set("VLLM_MODEL", func(v string) { s.Model = v })
	set("VLLM_SERVED_MODEL_NAME", func(v string) { s.ServedNames = split(v) })
}

// variable is $NAME or ${NAME} or ${NAME:-default}.
var variable = regexp.MustCompile(`\$(?:(\w+)|\{(\w+)(?::?-([^}]*))?\})`)

// expand replaces variables whose value is known, as the shell in the container will.
func expand(args []string, env map[string]string) []string {
	expanded := make([]string, 0, len(args))
	for _, arg := range args {
		unknown := false
		text := variable.ReplaceAllStringFunc(arg, func(v string) string {
			m := variable.FindStringSubmatch(v)
			if value, known := env[m[1]+m[2]]; known && value != "" {
				return value
			}
			unknown = unknown || m[3] == ""
			return m[3]
		})
		if unknown {
			text = "" // better nothing than half a name
		}
		if text == arg || !strings.ContainsAny(text, " \t\n") {
			expanded = append(expanded, text)
			continue
		}
		expanded = append(expanded, strings.Fields(text)...)
	}
	return expanded
}

// What a version looks like in a tag: v0.11.0, 0.8.5.post1, v0.11.0-cu129, and
// with a name before it, rocm6.4.1_vllm_0.10.1_20250909.
const number = `v?(\d+\.\d+\.\d+(?:\.?(?:post|rc|dev)\d+)?)`

var (
	release = regexp.MustCompile(`^` + number + `(?:[-_+].*)?$`)
	named   = regexp.MustCompile(`vllm[-_]?` + number)
)

// imageVersion reads the version out of an image's tag, where it is vLLM's: the
// tags of other vendors' images count something else, as 25.09-py3 of NVIDIA's.
func imageVersion(image string) string {
	name, tag := cutImage(image)
	if m := named.FindStringSubmatch(tag); m != nil {
		return m[1]
	}
	if repository := name[strings.LastIndexByte(name, '/')+1:]; !strings.HasPrefix(repository, "vllm") {
		return ""
	}
	if m := release.FindStringSubmatch(tag); m != nil {
		return m[1]
	}
	return ""
}

// cutImage splits a reference into name and tag.
func cutImage(image string) (name, tag string) {
	name, _, _ = strings.Cut(image, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		return name[:colon], name[colon+1:]
	}
	return name, ""
}

// isVLLMImage reports whether a part of the name is vllm, as in vllm/vllm-openai, rocm/vllm, vllm-cpu.
func isVLLMImage(image string) bool {
	name, _ := cutImage(strings.ToLower(image))
	return slices.ContainsFunc(strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("/-_.:", r) }), func(part string) bool {
		return part == "vllm"
	})
}

func split(list string) []string {
	var found []string
	for item := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' || r == '\n' }) {
		found = append(found, item)
	}
	return found
}
