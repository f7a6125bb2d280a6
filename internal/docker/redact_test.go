package docker

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRedact(t *testing.T) {
	const secret = "s3cr3t-Value/x"
	for name, tt := range map[string]struct{ args, want []string }{
		"flag value":       {[]string{"vllm", "serve", "m", "--api-key", secret}, []string{"vllm", "serve", "m", "--api-key", Redacted}},
		"flag=value":       {[]string{"--api-key=" + secret, "m"}, []string{"--api-key=" + Redacted, "m"}},
		"underscores":      {[]string{"--hf_token", secret}, []string{"--hf_token", Redacted}},
		"equal, token":     {[]string{"--hf-token=" + secret}, []string{"--hf-token=" + Redacted}},
		"two keys":         {[]string{"--api-key", secret, secret, "--port", "1"}, []string{"--api-key", Redacted, Redacted, "--port", "1"}},
		"one token":        {[]string{"--hf-token", secret, "m"}, []string{"--hf-token", Redacted, "m"}},
		"token, no value":  {[]string{"--hf-token", "--port", "1"}, []string{"--hf-token", "--port", "1"}},
		"short, last":      {[]string{"-", "--password"}, []string{"-", "--password"}},
		"empty value":      {[]string{"--api-key="}, []string{"--api-key="}},
		"not secret":       {[]string{"--max-num-batched-tokens", "8", "--tokenizer", "t", "--ssl-keyfile", "/k", "--token-limit=5"}, []string{"--max-num-batched-tokens", "8", "--tokenizer", "t", "--ssl-keyfile", "/k", "--token-limit=5"}},
		"script":           {[]string{"sh", "-c", "HF_TOKEN=" + secret + " vllm serve m --api-key " + secret + " --port 1"}, []string{"sh", "-c", "HF_TOKEN=" + Redacted + " vllm serve m --api-key " + Redacted + " --port 1"}},
		"script, quoted":   {[]string{"sh", "-c", `vllm serve m --api-key="` + secret + ` x" --hf-token '` + secret + `'; ls`}, []string{"sh", "-c", "vllm serve m --api-key=" + Redacted + " --hf-token " + Redacted + "; ls"}},
		"script, two keys": {[]string{"sh", "-c", "vllm serve m --api-key " + secret + " " + secret + " --port 1"}, []string{"sh", "-c", "vllm serve m --api-key " + Redacted + " " + Redacted + " --port 1"}},
		"script, export":   {[]string{"sh", "-c", "export VLLM_API_KEY=" + secret + " && x"}, []string{"sh", "-c", "export VLLM_API_KEY=" + Redacted + " && x"}},
		"script, no value": {[]string{"sh", "-c", "x --hf-token --port 1"}, []string{"sh", "-c", "x --hf-token --port 1"}},
		"script, word":     {[]string{"sh", "-c", "echo the token is here"}, []string{"sh", "-c", "echo the token is here"}},
		"document":         {[]string{"--x", `{"aws_secret_access_key": "` + secret + `", "name": "n"}`}, []string{"--x", `{"aws_secret_access_key": "` + Redacted + `", "name": "n"}`}},
		"address":          {[]string{"--proxy", "http://user:" + strings.ReplaceAll(secret, "/", "") + "@proxy:80/x"}, []string{"--proxy", "http://" + Redacted + "@proxy:80/x"}},
		"header":           {[]string{"-H", "Authorization: Bearer " + secret}, []string{"-H", "Authorization: Bearer " + Redacted}},
		"known shape":      {[]string{"hf_abcdefghijklmnopqrstuv", "x"}, []string{Redacted, "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			before := strings.Join(tt.args, " ")
			assert.Equal(t, tt.want, Redact(tt.args))
			assert.Equal(t, before, strings.Join(tt.args, " "), "the argument is unchanged")
		})
	}
}

func TestAllowedEnv(t *testing.T) {
	env := allowedEnv([]string{
		"PATH=/bin", "HF_TOKEN=x", "NVIDIA_VISIBLE_DEVICES=all", "CUDA_VERSION=12.9.1", "CUDA_VISIBLE_DEVICES=", "VLLM_API_KEY=x", "VLLM_S3_SECRET=x",
		"VLLM_AUTH_TOKEN=x", "VLLM_EMPTY_KEY=", "VLLM_ARGS=--api-key x --port 1", "VLLM_NO_VALUE", "OPENAI_API_KEY=x",
	})
	assert.Equal(t, map[string]string{
		"NVIDIA_VISIBLE_DEVICES": "all", "CUDA_VERSION": "12.9.1", "CUDA_VISIBLE_DEVICES": "", "VLLM_API_KEY": Redacted, "VLLM_S3_SECRET": Redacted,
		"VLLM_AUTH_TOKEN": Redacted, "VLLM_EMPTY_KEY": "", "VLLM_ARGS": "--api-key " + Redacted + " --port 1", "VLLM_NO_VALUE": "",
	}, env)
	assert.Nil(t, allowedEnv([]string{"A=b"}))
}

// FuzzRedact hides a secret behind a flag of any script.
func FuzzRedact(f *testing.F) {
	f.Add("vllm serve m", "--port 1")
	f.Add(`sh -c "x`, `'y`)
	f.Fuzz(func(t *testing.T, before, after string) {
		for _, flag := range []string{" --api-key ", " --hf-token=", "\nHF_TOKEN="} {
			text := redactText(before + flag + "QQsecretQQ " + after)
			if strings.Contains(text, "QQsecretQQ") && !strings.Contains(before, "QQ") && !strings.Contains(after, "QQ") &&
				!strings.ContainsAny(before, `"'-=`) {
				t.Fatalf("%q", text)
			}
		}
	})
}
