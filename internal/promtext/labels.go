package promtext

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// The functions of this file see only lines that Prometheus' parser accepted,
// and so need not check their syntax again.

// splitName cuts `name{a="b"}` into the name and the block between the braces.
// In `{"name",a="b"}` the name is part of the block.
func splitName(line []byte) (name, block []byte) {
	i := bytes.IndexByte(line, '{')
	if i < 0 {
		return bytes.TrimSpace(line), nil
	}
	name, block = bytes.TrimSpace(line[:i]), line[i+1:len(line)-1]
	if len(name) > 0 {
		return name, block
	}
	name, value, rest := nextLabel(block)
	for value != nil {
		name, value, rest = nextLabel(rest)
	}
	return unescape(name), block
}

// nextLabel cuts the first label off a block, without its quotes but with its
// escapes. At the end of the block the name is nil; the value is nil where the
// name stands alone, which makes it that of the metric.
func nextLabel(block []byte) (name, value, rest []byte) {
	for len(block) > 0 && (block[0] == ',' || block[0] == ' ' || block[0] == '\t') {
		block = block[1:]
	}
	if len(block) == 0 {
		return nil, nil, nil
	}
	if block[0] == '"' {
		name, rest = cutQuoted(block)
		rest = bytes.TrimLeft(rest, " \t")
		if len(rest) == 0 || rest[0] != '=' {
			return name, nil, rest
		}
	} else {
		i := bytes.IndexByte(block, '=')
		if i < 0 || bytes.IndexByte(block[:i], ',') >= 0 {
			return nil, nil, nil // a metric name without its quotes, which the parser lets pass
		}
		name, rest = bytes.TrimSpace(block[:i]), block[i:]
	}
	value, rest = cutQuoted(rest[bytes.IndexByte(rest, '"'):])
	return name, value, rest
}

// cutQuoted returns what stands between the quote that text begins with and the
// next one that is not escaped, and what follows.
func cutQuoted(text []byte) (inner, rest []byte) {
	for end := 1; ; end++ {
		end += bytes.IndexByte(text[end:], '"')
		inner = text[1:end]
		if escapes := len(inner) - len(bytes.TrimRight(inner, `\`)); escapes%2 == 0 {
			return inner, text[end+1:]
		}
	}
}

var unescaper = strings.NewReplacer(`\"`, `"`, `\\`, `\`, `\n`, "\n")

func unescape(text []byte) []byte {
	if bytes.IndexByte(text, '\\') < 0 {
		return text
	}
	return []byte(unescaper.Replace(string(text)))
}

// appendUnescaped appends text to dst as unescape returns it.
func appendUnescaped(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			switch text[i+1] {
			case '"', '\\':
				i++
			case 'n':
				dst = append(dst, '\n')
				i++
				continue
			}
		}
		dst = append(dst, text[i])
	}
	return dst
}

// cutBound takes the label le (or quantile) out of a block and returns the rest,
// valid until the next call.
func (b *builder) cutBound(block []byte, label string) (rest []byte, bound float64, err error) {
	for from := block; ; {
		name, value, after := nextLabel(from)
		if name == nil {
			return nil, 0, fmt.Errorf("%w: %s without the label %s", ErrSyntax, b.name, label)
		}
		if string(name) != label || value == nil {
			from = after
			continue
		}
		bound, err := strconv.ParseFloat(string(value), 64)
		if err != nil || math.IsNaN(bound) {
			return nil, 0, fmt.Errorf("%w: %s with %s=%.40q", ErrSyntax, b.name, label, value)
		}
		b.bound = value
		// Where le is the only difference, the same text as on the lines of sum
		// and count: it finds the same entry in labelSets.
		b.rest = append(append(b.rest[:0], block[:len(block)-len(from)]...), after...)
		return bytes.TrimPrefix(b.rest, []byte(",")), bound, nil
	}
}

// labelSet returns the labels of a block.
func (b *builder) labelSet(block []byte) (labels.Labels, error) {
	if set, ok := b.labelSets[string(block)]; ok {
		return set, nil
	}
	b.scratch.Reset()
	for name, value, rest := nextLabel(block); name != nil; name, value, rest = nextLabel(rest) {
		if value != nil {
			b.scratch.UnsafeAddBytes(unescape(name), unescape(value))
		}
	}
	b.scratch.Sort()
	set := b.scratch.Labels() // a copy
	if name, twice := set.HasDuplicateLabelNames(); twice {
		return set, fmt.Errorf("%w: %s has the label %.40q twice", ErrSyntax, b.name, name)
	}
	if set.Has(labels.MetricName) {
		return set, fmt.Errorf("%w: %s has the reserved label %s", ErrSyntax, b.name, labels.MetricName)
	}
	b.labelSets[string(block)] = set
	return set, nil
}
