//go:build faults

package faults

import (
	"debug/elf"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hardened tells what of a program an attacker could count on, or a stranger's
// library use: nothing.
func hardened(f *elf.File) (faults []string) {
	if f.Type != elf.ET_DYN {
		faults = append(faults, "it is no PIE")
	}
	flags, _ := f.DynValue(elf.DT_FLAGS) // without any, none is set
	flags1, _ := f.DynValue(elf.DT_FLAGS_1)
	now := len(flags) > 0 && elf.DynFlag(flags[0])&elf.DF_BIND_NOW != 0 || len(flags1) > 0 && elf.DynFlag1(flags1[0])&elf.DF_1_NOW != 0
	if !now {
		faults = append(faults, "its symbols are bound late (no BIND_NOW)")
	}
	if !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_GNU_RELRO }) {
		faults = append(faults, "its relocations can be written (no RELRO)")
	}
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_GNU_STACK && p.Flags&elf.PF_X != 0 }) {
		faults = append(faults, "its stack can be executed")
	}
	for _, tag := range []elf.DynTag{elf.DT_RUNPATH, elf.DT_RPATH} {
		paths, _ := f.DynString(tag)
		for _, p := range strings.Split(strings.Join(paths, ":"), ":") {
			if p != "" && p != "$ORIGIN/../lib/edged" {
				faults = append(faults, "it looks for libraries in "+p)
			}
		}
	}
	return faults
}

func TestProgramsAreHardened(t *testing.T) {
	for _, name := range []string{"edged", "edged-camera"} {
		f, err := elf.Open(Bin(t, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for _, fault := range hardened(f) {
			t.Errorf("bin/%s: %s", name, fault)
		}
	}
}

// A program that has none of it is found out.
func TestWeakProgramIsFoundOut(t *testing.T) {
	exe := filepath.Join(t.TempDir(), "weak")
	gcc := exec.Command("gcc", "-no-pie", "-Wl,-z,lazy,-z,norelro,-z,execstack,-rpath,/build/.deps/lib:$ORIGIN/../lib/edged", "-x", "c", "-o", exe, "-")
	gcc.Stdin = strings.NewReader("int main(void) { return 0; }")
	if out, err := gcc.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	f, err := elf.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if faults := hardened(f); len(faults) != 5 {
		t.Errorf("%q", faults)
	}
}
