// Package zones are named polygons on a camera's frame, and which positions of a
// mask lie in them: those whose centre does, exactly.
package zones

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"sync/atomic"

	"edged/internal/fault"
)

// Bounds of what anyone may ask for.
const (
	MaxZones   = 64
	MaxCorners = 256
	farthest   = 1 << 20 // pixels from the frame's corner
)

// Zone is a polygon in frame pixels, closed by itself. Where it crosses itself
// what lies in an even number of loops is outside.
type Zone struct {
	Name    string       `json:"name"`
	Polygon [][2]float64 `json:"polygon"` // corners in order: x, y
}

// Set is the zones of a camera. It does not change.
type Set struct{ list []Zone }

// Empty has no zone.
var Empty = &Set{}

var namePattern = regexp.MustCompile(`^[a-z0-9_-]{1,64}$`)

// New checks a list of zones and makes a set of it, which keeps the list. Each
// fault has its key: zone, zone[2].name, zone[2].polygon.
func New(list []Zone) (*Set, error) {
	var faults []error
	wrong := func(i int, key, format string, args ...any) {
		faults = append(faults, fault.Newf("zones", fmt.Sprintf("zone[%d].%s", i, key), format, args...))
	}
	if len(list) > MaxZones {
		return nil, fault.Newf("zones", "zone", "%d zones: at most %d are taken", len(list), MaxZones)
	}
	seen := map[string]bool{}
	for i, z := range list {
		switch {
		case !namePattern.MatchString(z.Name):
			wrong(i, "name", "zone name %q: use a to z, 0 to 9, _ and - only, at least one character and at most 64", z.Name)
		case seen[z.Name]:
			wrong(i, "name", "zone %q is there twice: rules need different names", z.Name)
		}
		seen[z.Name] = true
		if problem := z.problem(); problem != "" {
			wrong(i, "polygon", "zone %q: %s", z.Name, problem)
		}
	}
	if len(faults) > 0 {
		return nil, errors.Join(faults...)
	}
	return &Set{list}, nil
}

func (z *Zone) problem() string {
	if n := len(z.Polygon); n < 3 || n > MaxCorners {
		return fmt.Sprintf("a polygon of %d corners: write 3 to %d of them, each [x, y] in frame pixels", n, MaxCorners)
	}
	for _, p := range z.Polygon {
		if !(math.Abs(p[0]) <= farthest && math.Abs(p[1]) <= farthest) { // NaN is not
			return fmt.Sprintf("corner %v: use numbers of at most %d pixels", p, farthest)
		}
	}
	return ""
}

// List is the zones, in order. They are not to be changed.
func (s *Set) List() []Zone { return s.list }

// Index is the place of the zone of a name, -1 where there is none.
func (s *Set) Index(name string) int {
	for i := range s.list {
		if s.list[i].Name == name {
			return i
		}
	}
	return -1
}

// At is the name of the first zone that holds a point of the frame, empty where
// none does.
func (s *Set) At(x, y float64) string {
	for i := range s.list {
		if s.list[i].holds(x, y) {
			return s.list[i].Name
		}
	}
	return ""
}

// Holder is the zones of a camera as they are now, for all who look at them.
type Holder struct{ set atomic.Pointer[Set] }

// NewHolder holds a set.
func NewHolder(s *Set) *Holder {
	h := &Holder{}
	h.set.Store(s)
	return h
}

// Set is what holds now.
func (h *Holder) Set() *Set { return h.set.Load() }

// Put has another set hold from the next mask on.
func (h *Holder) Put(s *Set) { h.set.Store(s) }
