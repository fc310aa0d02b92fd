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
	_, err := choose("sse9")
	if err == nil || !strings.Contains(err.Error(), "sse9") || !strings.Contains(err.Error(), "generic") {
		t.Errorf("choose(sse9): %v; want an error that names it and what there is", err)
	}
}

func TestDefaultIsWhatTheEnvironmentNames(t *testing.T) {
	for _, v := range Available() {
		t.Setenv(EnvVariable, string(v))
		if got, err := Default(); got != v || err != nil {
			t.Errorf("%s=%s gave %v, %v", EnvVariable, v, got, err)
		}
	}
	t.Setenv(EnvVariable, "sse9")
	if _, err := Default(); err == nil {
		t.Error("an unknown variant was accepted")
	}
}
