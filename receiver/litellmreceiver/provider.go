package litellmreceiver

import (
	"strings"
)

// wellKnown are the names that the semantic conventions have for LiteLLM's
// providers: https://github.com/open-telemetry/semantic-conventions-genai,
// gen_ai.provider.name. vllm is this distribution's own.
var wellKnown = map[string]string{
	"anthropic_text":            "anthropic",
	"azure":                     "azure.ai.openai",
	"azure_ai":                  "azure.ai.inference",
	"azure_text":                "azure.ai.openai",
	"bedrock":                   "aws.bedrock",
	"bedrock_converse":          "aws.bedrock",
	"codestral":                 "mistral_ai",
	"cohere_chat":               "cohere",
	"gemini":                    "gcp.gemini",
	"hosted_vllm":               "vllm",
	"mistral":                   "mistral_ai",
	"moonshot":                  "moonshot_ai",
	"ollama_chat":               "ollama",
	"text-completion-codestral": "mistral_ai",
	"text-completion-openai":    "openai",
	"vertex_ai":                 "gcp.vertex_ai",
	"vertex_ai_beta":            "gcp.vertex_ai",
	"watsonx":                   "ibm.watsonx.ai",
	"watsonx_text":              "ibm.watsonx.ai",
	"xai":                       "x_ai",
}

// prefixes are providers that a model's name may begin with although nothing else
// names its provider. Others cannot be told from the owner of a model, as in
// mistralai/devstral.
var prefixes = map[string]bool{
	"ai21": true, "anthropic": true, "azure": true, "azure_ai": true, "bedrock": true, "cerebras": true, "cohere": true,
	"databricks": true, "deepinfra": true, "deepseek": true, "fireworks_ai": true, "gemini": true, "github": true, "groq": true,
	"hosted_vllm": true, "huggingface": true, "infinity": true, "litellm_proxy": true, "llamafile": true, "lm_studio": true,
	"mistral": true, "moonshot": true, "nvidia_nim": true, "ollama": true, "ollama_chat": true, "openai": true, "openrouter": true,
	"perplexity": true, "replicate": true, "sagemaker": true, "sambanova": true, "together_ai": true, "triton": true,
	"vertex_ai": true, "vllm": true, "voyage": true, "watsonx": true, "xai": true, "xinference": true,
}

// providerName is gen_ai.provider.name for LiteLLM's name of a provider, and that
// name where it is another one.
func providerName(raw string) (name, other string) {
	if name, ok := wellKnown[raw]; ok {
		return name, raw
	}
	return raw, ""
}

// splitModel takes "provider/name" apart, as litellm_params have it. The provider
// may be given beside it; the name may then lack it, or have slashes of its own.
func splitModel(model, provider string) (name, of string) {
	first, rest, ok := strings.Cut(model, "/")
	switch {
	case !ok || rest == "":
		return model, provider
	case first == provider:
		return rest, provider
	case provider == "" && prefixes[first]:
		return rest, first
	}
	return model, provider
}
