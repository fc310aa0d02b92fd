//go:build arm64 && !purego

package picture

import "edged/internal/kernel/cpu"

// variant is one set of the prepare and mask routines; force chooses it and
// returns what puts the old choice back.
type variant struct{ name string }

func (v variant) force() func() {
	old := cpu.Active()
	cpu.Use(cpu.Variant(v.name))
	return func() { cpu.Use(old) }
}

func variants() []variant { return []variant{{string(cpu.Generic)}, {string(cpu.NEON)}} }
