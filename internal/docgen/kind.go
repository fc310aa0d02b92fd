package main

import (
	"fmt"
	"strings"
)

// Patterns of the schemas that have a name of their own in the reference.
const (
	idPattern   = "^[a-z0-9_-]{1,64}$"
	timePattern = `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`
)

// kindOf says in a few words what values a schema allows.
func kindOf(n *node) string {
	switch {
	case n.Const != nil:
		return fmt.Sprintf("always `%s`", literal(n.Const))
	case len(n.Enum) > 0:
		return choices(n.Enum)
	case len(n.OneOf) == 2 && n.OneOf[0].Type == "null":
		return kindOf(n.OneOf[1]) + " or null"
	case n.Items != nil:
		return listOf(n)
	case n.Pattern == timePattern:
		return "time, ISO 8601 in UTC with milliseconds"
	case n.Pattern == idPattern:
		return "id: a-z 0-9 _ -"
	case n.Pattern != "":
		return fmt.Sprintf("%s like `%s`", n.Type, cell(n.Pattern))
	case n.MaxLength != nil:
		return fmt.Sprintf("%s, at most %d characters", n.Type, *n.MaxLength)
	case n.each() != nil:
		return "object: " + keysOf(n) + " to " + kindOf(n.each())
	case n.Type == "":
		return "any"
	}
	return n.Type + bounds(n)
}

// keysOf says what the keys of a map are.
func keysOf(n *node) string {
	if p := n.PropertyNames; p != nil && len(p.Enum) > 0 {
		return choices(p.Enum)
	}
	return strings.Trim(nameOf(n.PropertyNames), "<>")
}

func choices(values []any) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = "`" + literal(v) + "`"
	}
	return strings.Join(words, ", ")
}

// literal is a value as JSON shows it, strings without their quotes unless they are
// empty.
func literal(v any) string {
	if s, ok := v.(string); ok && s == "" {
		return `""`
	}
	return fmt.Sprint(v)
}

func listOf(n *node) string {
	of := kindOf(n.Items)
	switch {
	case n.MinItems != nil && n.MaxItems != nil && *n.MinItems == *n.MaxItems:
		return fmt.Sprintf("list of %d: %s", *n.MinItems, of)
	case n.MaxItems != nil:
		return fmt.Sprintf("list%s: %s", atMost(n), of)
	}
	return "list of " + of
}

// atMost is the bound of a list, empty where there is none.
func atMost(n *node) string {
	if n.MaxItems == nil {
		return ""
	}
	return fmt.Sprintf(" of at most %d", *n.MaxItems)
}

func bounds(n *node) string {
	switch {
	case n.Minimum != nil && n.Maximum != nil:
		return fmt.Sprintf(", %v to %v", *n.Minimum, *n.Maximum)
	case n.Minimum != nil && n.Type == "integer":
		return fmt.Sprintf(", from %v", *n.Minimum)
	}
	return ""
}
