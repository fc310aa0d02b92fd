//go:build tflite && cgo

package tflite

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
	"testing"

	"edged"
)

// resident is the process's resident set in bytes.
func resident(t *testing.T) int {
	t.Helper()
	debug.FreeOSMemory() // what Go has let go of is no leak
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.Atoi(string(bytes.Fields(b)[1]))
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}

// A model leaked at each cycle would show as 500 times its 229 KB file. The
// margin is for malloc, which keeps a heap for each thread that Go moves on to.
func TestLoadAndUnloadLeavesMemoryFlat(t *testing.T) {
	const warmUp, cycles, margin = 100, 500, 16 << 20
	face := npmModel(t, "face_detection_short_range")
	// A run on two threads waits long where other processes hold the cores.
	cycle := func(open edged.Opener, run bool) {
		o := edged.Options{Threads: 1}
		if run {
			o.Threads = 2
		}
		e, err := open(face, o)
		if err != nil {
			t.Fatal(err)
		}
		if run {
			if err := e.Run(); err != nil {
				t.Fatal(err)
			}
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var before int
	for i := range warmUp + cycles {
		if i == warmUp {
			before = resident(t)
		}
		cycle(Open, i%50 == 0)
		if i%5 == 0 {
			cycle(OpenBuiltin, i%100 == 0)
		}
	}
	after := resident(t)
	t.Logf("resident: %d KB before, %d KB after %d cycles", before>>10, after>>10, cycles)
	if after > before+margin {
		t.Errorf("resident set grew from %d KB to %d KB over %d cycles", before>>10, after>>10, cycles)
	}
}
