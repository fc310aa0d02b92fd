package npy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseHeader reads the header, a Python dictionary with three keys:
// {'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }
func parseHeader(text string) (a *Array, order byte, err error) {
	p := &parser{rest: text}
	if !p.take("{") {
		return nil, 0, errors.New("no dictionary")
	}
	a = &Array{}
	seen := map[string]bool{}
	for !p.take("}") {
		key, err := p.quoted()
		if err != nil {
			return nil, 0, err
		}
		if seen[key] || !p.take(":") {
			return nil, 0, fmt.Errorf("key %q", key)
		}
		seen[key] = true
		switch key {
		case "descr":
			a.Type, order, err = p.descriptor()
		case "fortran_order":
			err = p.rowMajor()
		case "shape":
			a.Shape, err = p.tuple()
		default:
			err = fmt.Errorf("unknown key %q", key)
		}
		if err != nil {
			return nil, 0, err
		}
		if !p.take(",") && !p.peek("}") {
			return nil, 0, errors.New("no comma between keys")
		}
	}
	if p.space(); p.rest != "" || len(seen) != 3 {
		return nil, 0, errors.New("the keys are not descr, fortran_order and shape")
	}
	return a, order, nil
}

// parser walks the few tokens that a header has.
type parser struct{ rest string }

func (p *parser) space() { p.rest = strings.TrimLeft(p.rest, " \t\n") }

func (p *parser) peek(s string) bool {
	p.space()
	return strings.HasPrefix(p.rest, s)
}

func (p *parser) take(s string) bool {
	if !p.peek(s) {
		return false
	}
	p.rest = p.rest[len(s):]
	return true
}

func (p *parser) quoted() (string, error) {
	for _, q := range []string{"'", `"`} {
		if p.take(q) {
			s, rest, ok := strings.Cut(p.rest, q)
			if !ok {
				return "", errors.New("a string without an end")
			}
			p.rest = rest
			return s, nil
		}
	}
	return "", errors.New("no string where one must stand")
}

// descriptor reads an element type such as '<f4'.
func (p *parser) descriptor() (Type, byte, error) {
	s, err := p.quoted()
	if err != nil {
		return "", 0, fmt.Errorf("only arrays of plain numbers are read: %w", err)
	}
	order := byte('<')
	if s != "" && strings.ContainsRune("<>|=", rune(s[0])) {
		order, s = s[0], s[1:]
	}
	if s == "?" {
		s = "b1"
	}
	for _, d := range descriptors {
		if d.code == s {
			return d.t, order, nil
		}
	}
	return "", 0, fmt.Errorf("element type %q", s)
}

func (p *parser) rowMajor() error {
	if p.take("False") {
		return nil
	}
	if p.take("True") {
		return errors.New("column-major data; save numpy.ascontiguousarray(x) instead")
	}
	return errors.New("fortran_order is neither True nor False")
}

func (p *parser) tuple() ([]int, error) {
	if !p.take("(") {
		return nil, errors.New("the shape is no tuple")
	}
	shape := []int{}
	for !p.take(")") {
		p.space()
		end := strings.IndexFunc(p.rest, func(r rune) bool { return r < '0' || r > '9' })
		if end < 1 {
			return nil, errors.New("the shape holds something that is no number")
		}
		n, err := strconv.Atoi(p.rest[:end])
		if err != nil {
			return nil, fmt.Errorf("shape: %w", err)
		}
		p.rest = strings.TrimPrefix(p.rest[end:], "L") // Python 2 wrote long numbers so
		if shape = append(shape, n); len(shape) > maxRank {
			return nil, fmt.Errorf("more than %d dimensions", maxRank)
		}
		if !p.take(",") && !p.peek(")") {
			return nil, errors.New("no comma in the shape")
		}
	}
	return shape, nil
}
