package simulator

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// langfuseFilter is one condition of a query. What Value must be follows from Type.
type langfuseFilter struct {
	Column   string `json:"column"`
	Operator string `json:"operator"`
	Type     string `json:"type"`
	Key      string `json:"key"`
	Value    any    `json:"value"`
}

// langfuseOperators are the types of filters and what each can do.
var langfuseOperators = map[string][]string{
	"datetime":        {">", "<", ">=", "<="},
	"string":          {"=", "contains", "does not contain", "starts with", "ends with"},
	"number":          {"=", ">", "<", ">=", "<="},
	"stringOptions":   {"any of", "none of"},
	"categoryOptions": {"any of", "none of"},
	"arrayOptions":    {"any of", "none of", "all of"},
	"stringObject":    {"=", "contains", "does not contain", "starts with", "ends with"},
	"numberObject":    {"=", ">", "<", ">=", "<="},
	"boolean":         {"=", "<>"},
	"null":            {"is null", "is not null"},
}

// langfuseCondition is a filter made ready for the rows of a view.
type langfuseCondition struct {
	join langfuseJoin
	keep func(*langfuseRow) bool
}

// check finds what the schema refuses: unknown types and operators, values of the wrong type.
func (f *langfuseFilter) check() *langfuseRefusal {
	operators, known := langfuseOperators[f.Type]
	if !known {
		return badData("filters", "Invalid discriminator value of type: %q", f.Type)
	}
	if !slices.Contains(operators, f.Operator) {
		return badData("filters", "Invalid operator %q, expected one of %s", f.Operator, strings.Join(operators, "|"))
	}
	ok := true
	switch f.Type {
	case "datetime":
		text, isText := f.Value.(string)
		_, err := time.Parse(time.RFC3339Nano, text)
		ok = isText && err == nil
	case "string", "stringObject":
		_, ok = f.Value.(string)
	case "number", "numberObject":
		_, ok = f.Value.(float64)
	case "boolean":
		_, ok = f.Value.(bool)
	case "null":
		ok = f.Value == nil || f.Value == ""
	default:
		_, ok = f.strings()
	}
	if !ok {
		return badData("filters", "Invalid value for a filter of type %q", f.Type)
	}
	return nil
}

// strings is the value as a list of strings.
func (f *langfuseFilter) strings() ([]string, bool) {
	list, ok := f.Value.([]any)
	texts := make([]string, 0, len(list))
	for _, item := range list {
		text, isText := item.(string)
		ok = ok && isText
		texts = append(texts, text)
	}
	return texts, ok
}

// condition binds a filter to a view. A column may be any dimension, the column of time, metadata, or a name that ends in
// Name, which stands for "name".
func (f *langfuseFilter) condition(v *langfuseView, r langfuseRelease, v2 bool) (langfuseCondition, *langfuseRefusal) {
	d := v.dimension(f.Column, r)
	switch {
	case d == nil && f.Column == v.timeColumn:
		if f.Type != "datetime" {
			return langfuseCondition{}, badQuery("Invalid filter for field '%s': it requires type 'datetime', not '%s'.", f.Column, f.Type)
		}
		return langfuseCondition{keep: f.keepTime}, nil
	case d == nil && f.Column == "metadata":
		if f.Type != "stringObject" {
			return langfuseCondition{}, badQuery("Invalid filter for field 'metadata': Metadata filters require type "+
				"'stringObject' with a 'key' property, not '%s'.", f.Type)
		}
		// Nothing has metadata here. The old tables answer "" for a missing key, the new one has no such row.
		return langfuseCondition{keep: func(*langfuseRow) bool { return !v2 && matchText(f.Operator, "", f.Value.(string)) }}, nil
	case d == nil && strings.HasSuffix(f.Column, "Name"):
		d = v.dimension("name", r)
	}
	if d == nil {
		dimensions, _ := v.names(r)
		return langfuseCondition{}, badQuery("Invalid filter column %s. Must be one of %s or %s",
			f.Column, strings.Join(dimensions, ","), v.timeColumn)
	}
	switch {
	case d.list && f.Type == "string":
		return langfuseCondition{}, badQuery("Invalid filter for field '%s': Array fields require type 'arrayOptions', not "+
			"'string'. Use operators like 'any of', 'all of', or 'none of' with an array of values.", f.Column)
	case d.list != (f.Type == "arrayOptions") && f.Type != "null", f.Type == "datetime", strings.HasSuffix(f.Type, "Object"), f.Type == "categoryOptions":
		return langfuseCondition{}, badQuery("Invalid filter for field '%s': type '%s' does not fit.", f.Column, f.Type)
	}
	return langfuseCondition{join: d.join, keep: func(row *langfuseRow) bool { return f.match(d.value(row), d.emptyIsNull) }}, nil
}

func (f *langfuseFilter) keepTime(row *langfuseRow) bool {
	limit, _ := time.Parse(time.RFC3339Nano, f.Value.(string))
	return matchOrder(f.Operator, row.at.Compare(limit.Truncate(time.Millisecond)))
}

// match applies the operator to one value; null matches nothing but what asks for it.
func (f *langfuseFilter) match(have any, emptyIsNull bool) bool {
	switch f.Type {
	case "null":
		return (have == nil) == (f.Operator == "is null")
	case "string":
		want := f.Value.(string)
		if have == nil {
			return emptyIsNull && want == "" && f.Operator != "does not contain"
		}
		return matchText(f.Operator, fmt.Sprint(have), want)
	case "stringOptions":
		want, _ := f.strings()
		if have == nil {
			return emptyIsNull && f.Operator == "any of" && slices.Contains(want, "")
		}
		return slices.Contains(want, fmt.Sprint(have)) == (f.Operator == "any of")
	case "arrayOptions":
		want, _ := f.strings()
		return matchList(f.Operator, have.([]string), want)
	case "boolean":
		is, ok := have.(bool)
		return ok && (is == f.Value.(bool)) == (f.Operator == "=")
	default: // number
		var x float64
		switch number := have.(type) {
		case int:
			x = float64(number)
		case float64:
			x = number
		default:
			return false
		}
		want := f.Value.(float64)
		return matchOrder(f.Operator, int(boolValue(x > want)-boolValue(x < want)))
	}
}

func matchText(operator, have, want string) bool {
	switch operator {
	case "=":
		return have == want
	case "contains":
		return strings.Contains(have, want)
	case "does not contain":
		return !strings.Contains(have, want)
	case "starts with":
		return strings.HasPrefix(have, want)
	default:
		return strings.HasSuffix(have, want)
	}
}

func matchList(operator string, have, want []string) bool {
	common := 0
	for _, x := range want {
		if slices.Contains(have, x) {
			common++
		}
	}
	switch operator {
	case "any of":
		return common > 0
	case "none of":
		return common == 0
	default:
		return common == len(want)
	}
}

// matchOrder applies an operator to the result of a comparison.
func matchOrder(operator string, compared int) bool {
	switch operator {
	case "=":
		return compared == 0
	case ">":
		return compared > 0
	case ">=":
		return compared >= 0
	case "<":
		return compared < 0
	default:
		return compared <= 0
	}
}
