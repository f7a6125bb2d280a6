package llmserver

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// modules are what python -m runs to serve.
var modules = regexp.MustCompile(`^vllm\.entrypoints\.(openai\.(api_server|rpc_server|run_server)|api_server|launcher|grpc_server)$`)

// script is the same as a file.
var script = regexp.MustCompile(`(^|/)vllm/entrypoints/(openai/)?api_server\.py$`)

// findServer returns the arguments of the server that a command starts. An image
// of vLLM whose entrypoint is a script of its own is a server too: its arguments
// are those that follow the script.
func findServer(command []string, image string) (args []string, found bool) {
	command = unwrap(command)
	other := false // something of vLLM that serves nothing
	for i, word := range command {
		base := path.Base(word)
		rest := command[i+1:]
		switch {
		case base == "vllm" && len(rest) > 0 && rest[0] == "serve":
			return rest[1:], true
		case base == "vllm":
			// vllm bench, chat, complete, run-batch, collect-env.
			other = other || i == 0 || path.Base(command[i-1]) != word
		case word == "-m" && len(rest) > 0 && modules.MatchString(rest[0]):
			return rest[1:], true
		case word == "-m" && len(rest) > 1 && (rest[0] == "vllm" || rest[0] == "vllm.entrypoints.cli.main") && rest[1] == "serve":
			return rest[2:], true
		case script.MatchString(word):
			return rest, true
		}
	}
	if other || !isVLLMImage(image) || isTool(command) {
		return nil, false
	}
	for i, word := range command {
		// A script that goes on with: serve MODEL ... or --model MODEL.
		if word == "serve" {
			return command[i+1:], true
		}
		if strings.HasPrefix(word, "-") {
			return command[i:], true
		}
	}
	return nil, true
}

// tools are commands for which an image of vLLM may be used, but not to serve.
var tools = []string{
	"bash", "sh", "dash", "ash", "zsh", "sleep", "tail", "cat", "true", "false", "nvidia-smi", "pip", "pip3", "uv",
	"huggingface-cli", "hf", "ray", "jupyter", "pytest", "env", "ls", "echo",
}

func isTool(command []string) bool {
	for len(command) > 0 && strings.Contains(command[0], "entrypoint") {
		command = command[1:]
	}
	if len(command) == 0 {
		return false // the image's own command, not told by the engine
	}
	first := path.Base(command[0])
	if slices.Contains(tools, first) {
		return true
	}
	// Another program of Python.
	return strings.HasPrefix(first, "python") && len(command) > 1
}

// shells run the word after -c, or a word that has a c among its flags, as in -lc.
var shells = []string{"bash", "sh", "dash", "ash", "zsh", "busybox"}

var commandFlag = regexp.MustCompile(`^-[a-z]*c$`)

// unwrap takes the words of a script out of sh -c "script".
func unwrap(command []string) []string {
	for range 3 { // a shell in a shell
		i := slices.IndexFunc(command, func(word string) bool { return slices.Contains(shells, path.Base(word)) })
		if i < 0 {
			return command
		}
		flag := i + 1
		for flag < len(command) && strings.HasPrefix(command[flag], "-") && !commandFlag.MatchString(command[flag]) {
			flag++
		}
		if flag+1 >= len(command) || !commandFlag.MatchString(command[flag]) {
			return command
		}
		command = serving(commands(command[flag+1]))
	}
	return command
}

// serving chooses the command of a script that serves, or else the last.
func serving(all [][]string) []string {
	for _, words := range all {
		for i, word := range words {
			rest := words[i+1:]
			if path.Base(word) == "vllm" && len(rest) > 0 && rest[0] == "serve" ||
				word == "-m" && len(rest) > 0 && strings.HasPrefix(rest[0], "vllm") || script.MatchString(word) ||
				slices.Contains(shells, path.Base(word)) && len(rest) > 1 && strings.Contains(strings.Join(rest, " "), "vllm") {
				return words
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	return all[len(all)-1]
}

// commands splits a script into commands and those into words, as a shell does
// with quotes, escapes, comments and continued lines. Variables stay as they are.
func commands(text string) [][]string {
	var all [][]string
	var words []string
	var word strings.Builder
	inWord := false
	endWord := func() {
		if inWord {
			words = append(words, word.String())
			word.Reset()
			inWord = false
		}
	}
	endCommand := func() {
		endWord()
		if len(words) > 0 {
			all = append(all, words)
			words = nil
		}
	}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case ' ', '\t', '\r':
			endWord()
		case '\n', ';', '|', '(', ')':
			endCommand()
		case '&':
			// Not the & of 2>&1.
			if i > 0 && text[i-1] == '>' {
				word.WriteByte(c)
				continue
			}
			endCommand()
		case '#':
			if inWord {
				word.WriteByte(c)
				continue
			}
			for i+1 < len(text) && text[i+1] != '\n' {
				i++
			}
		case '\\':
			if i++; i < len(text) && text[i] != '\n' {
				word.WriteByte(text[i])
				inWord = true
			}
		case '\'', '"':
			inWord = true
			for i++; i < len(text) && text[i] != c; i++ {
				if c == '"' && text[i] == '\\' && i+1 < len(text) && strings.IndexByte("\"\\$`\n", text[i+1]) >= 0 {
					if i++; text[i] == '\n' {
						continue
					}
				}
				word.WriteByte(text[i])
			}
		default:
			if c == '$' && i+1 < len(text) && text[i+1] == '{' {
				if end := strings.IndexByte(text[i:], '}'); end > 0 {
					word.WriteString(text[i : i+end+1])
					inWord = true
					i += end
					continue
				}
			}
			word.WriteByte(c)
			inWord = true
		}
	}
	endCommand()
	return all
}
