package modelcatalogconnector

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestParametersOf(t *testing.T) {
	for _, tt := range []struct {
		names []string
		want  string
	}{
		{[]string{"Qwen/Qwen3-32B"}, "32B"},
		{[]string{"Qwen/Qwen2.5-0.5B-Instruct"}, "0.5B"},
		{[]string{"mistralai/Mixtral-8x7B-Instruct-v0.1"}, "8x7B"},
		{[]string{"mistralai/mixtral-8X22b"}, "8x22B"},
		{[]string{"Qwen/Qwen3-30B-A3B"}, "30B"},
		{[]string{"facebook/opt-125m"}, "125M"},
		{[]string{"moonshotai/Kimi-1T"}, "1T"},
		{[]string{"llama3.1:8b"}, "8B"},
		{[]string{"Qwen/Qwen2.5-7B-Instruct-1M"}, "7B"},
		{[]string{"a/a-7B,b/b-7b"}, "7B"},
		{[]string{"/models/chat", "chat-70b"}, "70B"},
		{[]string{"", "", "fast_8b"}, "8B"},
		// None that is certain.
		{[]string{"meta-llama/Llama-4-Scout-17B-16E-Instruct", "llama-17b"}, ""},
		{[]string{"huggyllama/llama-7B-32B-merge"}, ""},
		{[]string{"a/a-7B,a/a-32B"}, ""},
		{[]string{"Qwen/Qwen1.5-MoE-A2.7B"}, ""},
		{[]string{"google/gemma-3n-E4B"}, ""},
		{[]string{"a/long-1m"}, ""},
		{[]string{"a/model-4bit"}, ""},
		{[]string{"7b/model"}, ""},
		{[]string{""}, ""},
		{nil, ""},
	} {
		assert.Equal(t, tt.want, parametersOf(tt.names...), tt.names)
	}
}

func TestOperationOf(t *testing.T) {
	for name, want := range map[string]string{
		"Qwen/Qwen3-Embedding-8B":            "embeddings",
		"nomic-ai/nomic-embed-text-v1.5":     "embeddings",
		"BAAI/bge-reranker-v2-m3":            "rerank",
		"Qwen/Qwen3-Reranker-4B":             "rerank",
		"BAAI/bge-m3":                        "",
		"intfloat/e5-mistral-7b-instruct":    "",
		"Qwen/Qwen3-32B-Instruct":            "",
		"/data/embeddings/llama":             "",
		"a/embed-and-rerank":                 "",
		"a/Qwen3-Embedding,b/Qwen3-Reranker": "",
		"":                                   "",
	} {
		assert.Equal(t, want, operationOf(name), name)
	}
	assert.Equal(t, "rerank", operationOf("/models/x", "my-reranker"))
}

func TestModelCard(t *testing.T) {
	for id, want := range map[string]string{
		"Qwen/Qwen3-32B":         "https://huggingface.co/Qwen/Qwen3-32B",
		"01-ai/Yi-34B":           "https://huggingface.co/01-ai/Yi-34B",
		"/models/qwen":           "",
		"./qwen":                 "",
		"models/qwen":            "",
		"Weights/qwen":           "",
		"qwen":                   "",
		"a/b/c":                  "",
		"a/b,c/d":                "",
		"https://example.org/x":  "",
		"a/b?c":                  "",
		"org/../x":               "",
		"s3://bucket/qwen":       "",
		"org/name with a space":  "",
		"javascript:alert(1)//x": "",
	} {
		assert.Equal(t, want, modelCard(id), id)
	}
}
