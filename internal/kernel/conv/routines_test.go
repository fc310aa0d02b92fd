package conv

import (
	"slices"

	"edged/internal/kernel/cpu"
)

// variants are the routines of every variant of this machine.
func variants() []*Routines {
	var list []*Routines
	for _, v := range cpu.Available() {
		list = append(list, For(v))
	}
	return list
}

// distinct are those that differ in one row.
func distinct(row func(*Routines) any) []*Routines {
	var list []*Routines
	for _, r := range variants() {
		if !slices.ContainsFunc(list, func(o *Routines) bool { return row(o) == row(r) }) {
			list = append(list, r)
		}
	}
	return list
}
