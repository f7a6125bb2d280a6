package docker

import (
	"regexp"
	"slices"
	"strings"
)

// Redacted stands where a secret was.
const Redacted = "[REDACTED]"

// Redact returns a command line without its secrets: values of flags and
// variables that are named like a secret, tokens of known shape, passwords in
// URLs; also inside of a script, as in sh -c "...". The argument is unchanged.
func Redact(args []string) []string {
	clean := make([]string, len(args))
	var secret, several bool // the next values are secret
	for i, arg := range args {
		isFlag := strings.HasPrefix(arg, "-") && len(arg) > 1 && !strings.ContainsAny(arg, " \t\n")
		switch {
		case isFlag:
			name, value, hasValue := strings.Cut(arg, "=")
			isSecret := secretName(name)
			clean[i] = redactText(arg)
			if isSecret && hasValue && value != "" {
				clean[i] = name + "=" + Redacted
			}
			// vLLM takes more than one key after --api-key.
			secret = isSecret && !hasValue
			several = secret && strings.HasSuffix(name, "key")
		case secret || several:
			clean[i] = Redacted
			secret = false
		default:
			clean[i] = redactText(arg)
		}
	}
	return clean
}

// secretWords make a name that of a secret wherever they stand, lastWords only at the end:
// --token-limit and --max-tokens are none.
var (
	secretWords = []string{"secret", "password", "passwd", "passphrase", "credential", "credentials", "apikey"}
	lastWords   = []string{"key", "keys", "token", "auth", "pwd", "pass"}
)

// secretName reports whether a flag, a variable or a field is named like a secret.
func secretName(name string) bool {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == '-' || r == '_' || r == '.' })
	if len(words) == 0 {
		return false
	}
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(secretWords, w) }) ||
		slices.Contains(lastWords, words[len(words)-1])
}

// secretVariable is stricter: no value of a variable that has one of these in its name is kept.
func secretVariable(name string) bool {
	name = strings.ToUpper(name)
	return slices.ContainsFunc([]string{"KEY", "TOKEN", "SECRET", "PASSW", "CREDENTIAL", "AUTH"}, func(word string) bool {
		return strings.Contains(name, word)
	})
}

// value is a word of a shell, quoted or not.
const value = `("(?:[^"\\]|\\.)*"|'[^']*'|[^\s;&|"']+)`

var (
	// --api-key value, --api-key=value, HF_TOKEN=value
	assignment = regexp.MustCompile(`(--?[A-Za-z][\w.-]*|\b[A-Za-z]\w*)(=|\s+)` + value)
	// "api_key": "value"
	jsonField = regexp.MustCompile(`("([\w.-]+)"\s*:\s*)"(?:[^"\\]|\\.)*"`)
	// https://user:password@host
	userinfo = regexp.MustCompile(`(://)[^/\s:@"']*:[^/\s@"']+@`)
	bearer   = regexp.MustCompile(`(?i)\b(bearer|basic)(\s+)[\w.~+/=-]{8,}`)
	// Tokens of OpenAI, Hugging Face and GitHub.
	known = regexp.MustCompile(`\b(sk-[\w-]{16,}|hf_\w{16,}|gh[pousr]_\w{16,})`)
)

// redactText removes secrets from a text that may be a script or a document.
func redactText(text string) string {
	// Most arguments are short words.
	if !strings.ContainsAny(text, "= \t\n:") && !known.MatchString(text) {
		return text
	}
	text = redactAssignments(text)
	text = jsonField.ReplaceAllStringFunc(text, func(field string) string {
		m := jsonField.FindStringSubmatch(field)
		if !secretName(m[2]) {
			return field
		}
		return m[1] + `"` + Redacted + `"`
	})
	text = userinfo.ReplaceAllString(text, "${1}"+Redacted+"@")
	text = bearer.ReplaceAllString(text, "${1}${2}"+Redacted)
	return known.ReplaceAllString(text, Redacted)
}

// redactAssignments walks by hand: the value of one assignment may be the name of the next.
func redactAssignments(text string) string {
	var b strings.Builder
	for {
		m := assignment.FindStringSubmatchIndex(text)
		if m == nil {
			b.WriteString(text)
			return b.String()
		}
		name, sep := text[m[2]:m[3]], text[m[4]:m[5]]
		isFlag := strings.HasPrefix(name, "-")
		isSecret := secretName(name) && (isFlag || sep == "=") && (sep == "=" || !strings.HasPrefix(text[m[6]:m[7]], "-"))
		if isSecret {
			b.WriteString(text[:m[6]])
			b.WriteString(Redacted)
			text = text[m[7]:]
			if strings.HasSuffix(name, "key") && isFlag && sep != "=" {
				text = redactMore(&b, text)
			}
			continue
		}
		b.WriteString(text[:m[5]])
		text = text[m[5]:]
	}
}

var moreValues = regexp.MustCompile(`^(\s+)([^\s;&|"'-][^\s;&|"']*)`)

// redactMore redacts further keys after the first.
func redactMore(b *strings.Builder, text string) string {
	for {
		m := moreValues.FindStringSubmatchIndex(text)
		if m == nil {
			return text
		}
		b.WriteString(text[m[2]:m[3]])
		b.WriteString(Redacted)
		text = text[m[1]:]
	}
}
