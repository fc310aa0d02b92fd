package verdict

import (
	"edged"
	"edged/internal/zones"
)

// placed is what the zones were laid on last.
type placed struct {
	set  *zones.Set
	grid edged.Grid
	h, w int
}

// place lays the zones of the rules on masks like m. It does so once: for other
// masks and other zones again.
func (j *Judge) place(m *edged.Mask) {
	now := placed{zones.Empty, m.Grid, m.H, m.W}
	if j.Zones != nil {
		now.set = j.Zones.Set()
	}
	if now == j.placed {
		return
	}
	j.placed = now
	shapes := map[string]*zones.Shape{}
	for i := range j.rules {
		s := &j.rules[i]
		if s.zone == "" {
			continue
		}
		if shapes[s.zone] == nil {
			shapes[s.zone] = j.shapeOf(s.zone, m)
		}
		s.shape = shapes[s.zone]
	}
}

// shapeOf is the positions of m in a zone, none where there is no such zone.
func (j *Judge) shapeOf(zone string, m *edged.Mask) *zones.Shape {
	z := zones.Zone{}
	if i := j.placed.set.Index(zone); i >= 0 {
		z = j.placed.set.List()[i]
	}
	s := z.On(&m.Grid, m.H, m.W)
	if s.Positions == 0 && j.Blind != nil {
		j.Blind(zone)
	}
	return s
}
