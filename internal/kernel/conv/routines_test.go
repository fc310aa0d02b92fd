package conv

import "edged/internal/kernel/cpu"

// variants are the routines of every variant of this machine.
func variants() []*Routines {
	var list []*Routines
	for _, v := range cpu.Available() {
		list = append(list, For(v))
	}
	return list
}
