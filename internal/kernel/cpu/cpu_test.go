package cpu

import (
	"strings"
	"testing"
)

func TestChoose(t *testing.T) {
	have := Available()
	if v, err := choose(""); err != nil || v != have[len(have)-1] {
		t.Errorf("choose of nothing: %v, %v; want the best of %v", v, err, have)
	}
	if v, err := choose("generic"); err != nil || v != Generic {
		t.Errorf("choose(generic): %v, %v", v, err)
	}
	_, err := choose("sse9")
	if err == nil || !strings.Contains(err.Error(), "sse9") || !strings.Contains(err.Error(), "generic") {
		t.Errorf("choose(sse9): %v; want an error that names it and what there is", err)
	}
}

func TestUse(t *testing.T) {
	before := Active()
	defer Use(before)
	if err := Use("sse9"); err == nil {
		t.Error("an unknown variant was accepted")
	}
	if Active() != before {
		t.Errorf("a refused variant became active: %v", Active())
	}
	if err := Use(Generic); err != nil || Active() != Generic {
		t.Errorf("Use(generic): %v, active %v", err, Active())
	}
}
