package rewrite

import (
	"errors"
	"fmt"
	"strings"
)

// Refusal says why a graph has no exact dense form of the kind asked for. It
// is an answer, not a failure: nothing was written.
type Refusal struct {
	Op      string // the operator's name in the schema, empty where the whole net is meant
	Index   int    // the operator's index in the graph
	Reason  string
	Instead string // what would work
}

func (r *Refusal) Error() string {
	var b strings.Builder
	b.WriteString("rewrite: ")
	if r.Op != "" {
		fmt.Fprintf(&b, "operator %d (%s): ", r.Index, r.Op)
	}
	b.WriteString(r.Reason)
	if r.Instead != "" {
		b.WriteString("; ")
		b.WriteString(r.Instead)
	}
	return b.String()
}

// short is the refusal without its package and its cure.
func (r *Refusal) short() string {
	c := *r
	c.Instead = ""
	return strings.TrimPrefix(c.Error(), "rewrite: ")
}

// orElse is the refusal with one more cure, the likeliest first.
func (r *Refusal) orElse(cure string) *Refusal {
	c := *r
	c.Instead = cure
	if r.Instead != "" {
		c.Instead += "; or " + r.Instead
	}
	return &c
}

// UsageError is a request that no net could serve: an output stride that is
// no prefix product, a tensor that does not exist.
type UsageError struct{ msg string }

func (e *UsageError) Error() string { return "rewrite: " + e.msg }

func usagef(format string, args ...any) error { return &UsageError{fmt.Sprintf(format, args...)} }

// asRefusal is err's refusal, or nil.
func asRefusal(err error) *Refusal {
	var r *Refusal
	if errors.As(err, &r) {
		return r
	}
	return nil
}
