//go:build amd64 && !purego

package picture

import features "golang.org/x/sys/cpu"

// variant is one set of the prepare and mask routines; force chooses it and
// returns what puts the old choice back.
type variant struct {
	name string
	on   bool
}

func (v variant) force() func() {
	old := prepareAVX2
	prepareAVX2 = v.on
	return func() { prepareAVX2 = old }
}

func variants() []variant {
	all := []variant{{"portable", false}}
	if features.X86.HasAVX2 {
		all = append(all, variant{"avx2", true})
	}
	return all
}
