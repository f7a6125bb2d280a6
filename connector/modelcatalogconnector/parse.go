package modelcatalogconnector

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"
)

// maxDescription is how many bytes a description may have.
const maxDescription = 1024

// fault is what is wrong with the file. Its text is one sentence.
type fault struct {
	line int
	what string
}

func (f *fault) Error() string {
	if f.line == 0 {
		return f.what
	}
	return fmt.Sprintf("line %d: %s", f.line, f.what)
}

func faultAt(n *yaml.Node, format string, args ...any) error {
	return &fault{n.Line, fmt.Sprintf(format, args...)}
}

// parseOverrides reads the file. It does not decode to a struct, so that it can
// tell the line of every fault.
func parseOverrides(content []byte) (*overrides, error) {
	o := &overrides{exact: make(map[string]*override)}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document yaml.Node
	if err := decoder.Decode(&document); err != nil {
		if errors.Is(err, io.EOF) { // empty, or comments only
			return o, nil
		}
		return nil, syntaxFault(err)
	}
	if err := decoder.Decode(&yaml.Node{}); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, syntaxFault(err)
		}
		return nil, &fault{what: `it has more than one document: remove the line "---" between them`}
	}
	root := document.Content[0]
	if root.Tag == "!!null" {
		return o, nil
	}
	err := eachKey(root, "the file", func(key string, value *yaml.Node) error {
		if key != "models" {
			return faultAt(value, `there is no key %q: the file has one key, "models"`, key)
		}
		return o.parse(value)
	})
	return o, err
}

var lineOf = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// syntaxFault takes the line out of an error of the YAML parser, which is that of
// the list, map or text in which the fault is.
func syntaxFault(err error) error {
	f := &fault{what: "it is no YAML: " + err.Error()}
	if parts := lineOf.FindStringSubmatch(err.Error()); parts != nil {
		f.line, _ = strconv.Atoi(parts[1])
		f.what = "it is no YAML here or below: " + parts[2]
	}
	return f
}

func (o *overrides) parse(list *yaml.Node) error {
	list = resolve(list)
	if list.Tag == "!!null" {
		return nil
	}
	if list.Kind != yaml.SequenceNode {
		return faultAt(list, `"models" must be a list of entries such as {name: chat, description: For everyday use}`)
	}
	seen := make(map[string]int)
	for _, item := range list.Content {
		m, err := parseOverride(item)
		if err != nil {
			return err
		}
		if line, again := seen[m.name]; again {
			return faultAt(item, "%q stands in line %d already: put both entries together", m.name, line)
		}
		seen[m.name] = m.line
		if isPattern(m.name) {
			o.patterns = append(o.patterns, m)
		} else {
			o.exact[m.name] = m
		}
		if m.add {
			o.added = append(o.added, m)
		}
	}
	return nil
}

func parseOverride(item *yaml.Node) (*override, error) {
	m := &override{line: item.Line}
	err := eachKey(item, `an entry of "models"`, m.set)
	switch {
	case err != nil:
		return nil, err
	case m.name == "":
		return nil, faultAt(item, `the entry must have a "name": that of a model, or a pattern such as qwen3-*`)
	case m.add && isPattern(m.name):
		return nil, faultAt(item, `"add" must have a "name" without * and ?: a pattern is no model`)
	case m.add && m.hidden:
		return nil, faultAt(item, `"add" and "hidden" exclude each other: leave the entry out`)
	}
	return m, nil
}

// set reads one key of an entry.
func (o *override) set(key string, value *yaml.Node) error {
	switch key {
	case "name":
		return parseText(value, key, maxText, &o.name)
	case "add":
		return parseBool(value, key, &o.add)
	case "hidden":
		return parseBool(value, key, &o.hidden)
	case "context_length":
		return o.parseContextLength(value)
	case "price_per_million_tokens":
		return o.parsePrices(value)
	case "state":
		return o.parseState(value)
	}
	into, known := o.texts()[key]
	if !known {
		return faultAt(value, "there is no key %q: the keys are %s", key, strings.Join(overrideKeys(), ", "))
	}
	text, err := parseKnownText(value, key)
	*into = &text
	return err
}

// overrideKeys are all keys that an entry may have.
func overrideKeys() []string {
	keys := slices.AppendSeq([]string{"name", "add", "hidden", "context_length", "price_per_million_tokens", "state"}, maps.Keys((&override{}).texts()))
	slices.Sort(keys)
	return keys
}

// operationName matches what gen_ai.operation.name may be.
var operationName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func parseKnownText(value *yaml.Node, key string) (string, error) {
	if key == "capabilities" {
		return parseList(value, key)
	}
	most := maxText
	if key == "description" {
		most = maxDescription
	}
	var text string
	if err := parseText(value, key, most, &text); err != nil || text == "" {
		return text, err
	}
	switch key {
	case "link", "endpoint":
		if !isURL(text) {
			return "", faultAt(value, "%q must be an http or https URL without user and password", key)
		}
	case "type":
		if !operationName.MatchString(text) {
			return "", faultAt(value, `"type" must be what the model does, such as chat, embeddings or rerank`)
		}
	case "deprecated":
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			return "", faultAt(value, `"deprecated" must be a day such as 2026-12-31`)
		}
	}
	return text, nil
}

func parseText(value *yaml.Node, key string, most int, into *string) error {
	value = resolve(value)
	switch {
	case value.Kind != yaml.ScalarNode || value.Tag == "!!null":
		return faultAt(value, `%q must be a text; "" shows none`, key)
	case len(value.Value) > most:
		return faultAt(value, "%q must have at most %d bytes, not %d", key, most, len(value.Value))
	}
	*into = strings.TrimSpace(value.Value)
	return nil
}

func parseList(value *yaml.Node, key string) (string, error) {
	list := resolve(value)
	if list.Kind != yaml.SequenceNode {
		return "", faultAt(list, `%q must be a list such as [function_calling, vision]; [] shows none`, key)
	}
	var all values
	for _, item := range list.Content {
		var text string
		if err := parseText(item, key, maxText, &text); err != nil {
			return "", err
		}
		all.add(text)
	}
	text := joined(all)
	if len(text) > maxText {
		return "", faultAt(list, "%q must have at most %d bytes together, not %d", key, maxText, len(text))
	}
	return text, nil
}

func parseBool(value *yaml.Node, key string, into *bool) error {
	if err := resolve(value).Decode(into); err != nil || resolve(value).Tag != "!!bool" {
		return faultAt(value, "%q must be true or false", key)
	}
	return nil
}

func (o *override) parseContextLength(value *yaml.Node) error {
	n, err := strconv.ParseInt(resolve(value).Value, 10, 64)
	if err != nil || n < 1 {
		return faultAt(value, `"context_length" must be a whole number of tokens, such as 32768`)
	}
	o.contextLength = n
	return nil
}

func (o *override) parsePrices(value *yaml.Node) error {
	o.prices = make(map[string]float64)
	return eachKey(value, `"price_per_million_tokens"`, func(kind string, price *yaml.Node) error {
		if !slices.Contains(tokenTypes, kind) {
			return faultAt(price, `"price_per_million_tokens" has no %q: its keys are %s`, kind, strings.Join(tokenTypes, ", "))
		}
		usd, err := strconv.ParseFloat(resolve(price).Value, 64)
		if err != nil || !(usd >= 0) || math.IsInf(usd, 1) {
			return faultAt(price, `%q of "price_per_million_tokens" must be USD for a million tokens, such as 0.25`, kind)
		}
		o.prices[kind] = perToken(usd)
		return nil
	})
}

// perToken is the price of one token. To move the point is exact, to divide is not:
// 0.2 would become 2.0000000000000002e-07.
func perToken(usdPerMillion float64) float64 {
	price, _ := strconv.ParseFloat(strconv.FormatFloat(usdPerMillion, 'f', -1, 64)+"e-6", 64)
	return price
}

func (o *override) parseState(value *yaml.Node) error {
	var names []string
	for _, state := range states {
		names = append(names, state.String())
		if resolve(value).Value == state.String() {
			o.state = state
			return nil
		}
	}
	return faultAt(value, `"state" must be one of %s`, strings.Join(names, ", "))
}

// eachKey calls fn for every key of a map.
func eachKey(n *yaml.Node, what string, fn func(key string, value *yaml.Node) error) error {
	n = resolve(n)
	if n.Kind != yaml.MappingNode {
		return faultAt(n, "%s must be a map of keys and values", what)
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i].Value
		if seen[key] {
			return faultAt(n.Content[i], "%q stands twice in %s", key, what)
		}
		seen[key] = true
		if err := fn(key, n.Content[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// resolve follows an alias to what it stands for.
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}
