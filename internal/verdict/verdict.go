// Package verdict rules on masks: OK or NG, with reasons.
//
// A rule looks at one class. The positions of the mask that hold the class, and
// whose score is at least MinScore, form blobs: connected components, corners
// included. Blobs smaller than MinAreaPx are not looked at. The rule is broken
// when
//
//   - MaxCount is set and there are more blobs than that,
//   - MaxTotalRatio is set and the blobs cover more of the mask than that,
//   - neither is set and there is any blob.
//
// A rule with zones is applied in each of them by itself: to the positions whose
// centre lies in the zone, and to the share of the zone that blobs cover.
//
// A rule takes effect, and loses it, only after Hold results in a row agree: a
// single noisy mask changes no verdict. Areas are in mask positions, as are the
// px of a result's classes.
package verdict

import (
	"errors"
	"fmt"
	"strconv"

	"edged"
	"edged/internal/fault"
	"edged/internal/zones"
)

// What a verdict is without a rule's own name.
const (
	OK = "OK"
	NG = "NG"
)

// Rule is one rule of a camera. A zero bound is not set.
type Rule struct {
	Class         uint8
	Name          string  // of the class, for reasons
	MinScore      float64 // 0 to 1
	MinAreaPx     int     // smallest blob that counts; 0 and 1: every blob
	MaxTotalRatio float64 // 0 to 1
	MaxCount      int
	Hold          int      // results in a row that must agree; 0 and 1: each decides
	Verdict       string   // when the rule is broken; empty: NG
	Zones         []string // in each of which it is applied by itself; none: the whole mask
}

// Validate says what is wrong with the rule, every fault at once, each with its
// key (a fault.Field).
func (r Rule) Validate() error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fault.Newf("verdict", key, "rule on class %q: "+format, append([]any{r.Name}, args...)...))
	}
	if !(r.MinScore >= 0 && r.MinScore <= 1) {
		bad("min_score", "min_score of %v: must be between 0 and 1", r.MinScore)
	}
	if !(r.MaxTotalRatio >= 0 && r.MaxTotalRatio <= 1) {
		bad("max_total_ratio", "max_total_ratio of %v: must be between 0 and 1", r.MaxTotalRatio)
	}
	for _, n := range []struct {
		key   string
		value int
	}{{"min_area_px", r.MinAreaPx}, {"max_count", r.MaxCount}, {"hold", r.Hold}} {
		if n.value < 0 {
			bad(n.key, "%s of %d: must not be negative", n.key, n.value)
		}
	}
	if r.Verdict == OK {
		bad("verdict", "verdict %q is what a camera says when no rule is broken: choose another", OK)
	}
	return errors.Join(errs...)
}

// Outcome is what the rules say of one mask. Reasons and Blobs are lent until
// the next.
type Outcome struct {
	Verdict  string
	Reasons  []edged.Reason
	Previous string // the verdict before
	Changed  bool   // Verdict differs from Previous; never for the first mask

	Blobs      []edged.Blob // of the rules' classes, the largest first, placed by the mask's grid
	BlobsTotal int          // with those that Blobs has no room for
}

// Judge applies the rules of one camera, mask after mask. One goroutine at a
// time may use it. While no rule is broken it allocates nothing.
type Judge struct {
	// Zones are those of the camera; nil: it has none. Set them before the first mask.
	Zones *zones.Holder
	// Blind is told of each zone of a rule that holds no position of the masks: what
	// it asks for is never found. nil: nobody is.
	Blind func(zone string)

	rules   []state
	placed  placed
	looks   []look
	whole   whole // what is ruled on
	list    list  // its blobs
	fresh   list  // those that the last rows have completed
	reasons []edged.Reason
	last    string // empty before the first mask
}

// state is a rule with what it remembers.
type state struct {
	Rule
	number   int          // from 1
	zone     string       // that it is applied in; empty: the whole mask
	where    string       // the zone, as texts say it
	shape    *zones.Shape // of that zone; nil: the whole mask
	blobs    blobs
	listed   bool         // they are those that a look lists
	broken   bool         // in effect
	contrary int          // results in a row that disagree with broken
	reason   edged.Reason // of the last mask that broke it
}

// New makes a Judge. The first broken rule in the order given names the verdict.
func New(rules []Rule) (*Judge, error) {
	j := &Judge{}
	var errs []error
	for i, r := range rules {
		errs = append(errs, r.Validate())
		if r.Verdict == "" {
			r.Verdict = NG
		}
		if r.Name == "" {
			r.Name = "class " + strconv.Itoa(int(r.Class))
		}
		r.MinAreaPx, r.Hold = max(r.MinAreaPx, 1), max(r.Hold, 1)
		if len(r.Zones) == 0 {
			j.rules = append(j.rules, state{Rule: r, number: i + 1})
		}
		for _, zone := range r.Zones {
			j.rules = append(j.rules, state{Rule: r, number: i + 1, zone: zone, where: " in zone " + zone})
		}
	}
	j.looks = looks(j.rules)
	for _, l := range j.looks {
		if l.rule >= 0 {
			j.rules[l.rule].listed = true
		}
	}
	return j, errors.Join(errs...)
}

// Judge rules on m. scores holds how sure the model is of each position's
// class, 0 to 1, dense and m.W wide; nil means 1 everywhere.
func (j *Judge) Judge(m *edged.Mask, scores []float32) Outcome {
	j.begin(false)
	j.place(m)
	j.add(m, scores)
	return j.rule(false)
}

// Last is the verdict of the last mask, empty before the first.
func (j *Judge) Last() string { return j.last }

// Follow has j go on where another ended: a first verdict that differs from last is a
// change.
func (j *Judge) Follow(last string) { j.last = last }

// rule rules on what was added. cut: what follows it may go on with its blobs.
func (j *Judge) rule(cut bool) Outcome {
	j.settle(true, cut)
	o := Outcome{Verdict: OK, Previous: j.last}
	j.reasons = j.reasons[:0]
	for i := range j.rules {
		s := &j.rules[i]
		s.see(j.breaks(s))
		if !s.broken {
			continue
		}
		if len(j.reasons) == 0 {
			o.Verdict = s.Verdict
		}
		j.reasons = append(j.reasons, s.reason)
	}
	o.Reasons = j.reasons
	o.Blobs, o.BlobsTotal = j.list.largest, j.list.total
	o.Changed = j.last != "" && j.last != o.Verdict
	j.last = o.Verdict
	return o
}

// breaks tells whether what was added alone breaks the rule, and notes the reason.
func (j *Judge) breaks(s *state) bool {
	count, total := s.blobs.count, s.blobs.total
	of, where, whole := j.whole.w*j.whole.h, "", "mask"
	if s.shape != nil {
		of, where, whole = s.shape.Positions, s.where, "zone"
	}
	ratio := float64(total) / float64(max(of, 1))
	r := edged.Reason{Rule: s.number, Class: s.Name, Zone: s.zone, Count: count, Px: total}
	switch {
	case s.MaxCount > 0 && count > s.MaxCount:
		r.Kind, r.Limit = edged.ReasonCount, float64(s.MaxCount)
		r.Text = fmt.Sprintf("%s%s: %d blobs of at least %d px, at most %d allowed", s.Name, where, count, s.MinAreaPx, s.MaxCount)
	case s.MaxTotalRatio > 0 && ratio > s.MaxTotalRatio:
		r.Kind, r.Limit = edged.ReasonRatio, s.MaxTotalRatio
		r.Text = fmt.Sprintf("%s%s: %.3f %% of the %s, at most %.3f %% allowed", s.Name, where, 100*ratio, whole, 100*s.MaxTotalRatio)
	case s.MaxCount == 0 && s.MaxTotalRatio == 0 && count > 0:
		r.Kind = edged.ReasonPresent
		r.Text = fmt.Sprintf("%s%s: %d blobs of at least %d px, %d px in all, none allowed", s.Name, where, count, s.MinAreaPx, total)
	default:
		return false
	}
	s.reason = r
	return true
}

// see takes what one mask says and changes sides after Hold masks in a row.
func (s *state) see(broken bool) {
	if broken == s.broken {
		s.contrary = 0
		return
	}
	if s.contrary++; s.contrary >= s.Hold {
		s.broken, s.contrary = broken, 0
	}
}
