//go:build arm64 && !purego

package kernel

// variant is one set of the prepare and mask routines; force chooses it and
// returns what puts the old choice back.
type variant struct{ name string }

func (v variant) force() func() {
	old := active
	active = Variant(v.name)
	return func() { active = old }
}

func variants() []variant { return []variant{{string(Generic)}, {string(NEON)}} }
