package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// trying answers for a dense file and its baseline, by engine; what is not named
// runs.
func trying(fails map[string]string) func(string, []byte) (tried, error) {
	return func(engine string, file []byte) (tried, error) {
		if why := fails[engine+" "+string(file)]; why != "" {
			return tried{}, errors.New(why)
		}
		return tried{Engine: engine, Ran: true}, nil
	}
}

// TestNothingThatDoesNotLoad: an engine that runs the baseline and not the dense
// net keeps the file from being written; one that runs neither does not count.
func TestNothingThatDoesNotLoad(t *testing.T) {
	dense, base := []byte("dense"), []byte("base")
	both := []string{"tflite", "go"}
	_, err := tryWith(both, dense, base, trying(map[string]string{"tflite dense": "engine tflite: no such operator"}))
	var code *exitError
	if !errors.As(err, &code) || code.code != exitRefused || !strings.Contains(err.Error(), "nothing was written") || !strings.Contains(err.Error(), "no such operator") {
		t.Errorf("an engine that refuses the dense net alone: %v", err)
	}
	list, err := tryWith(both, dense, base, trying(map[string]string{"tflite dense": "no", "tflite base": "no"}))
	if err != nil || len(list) != 1 || list[0].Engine != "go" || !list[0].Ran {
		t.Errorf("an engine that takes neither: %v, %v", list, err)
	}
	list, err = tryWith(both[:1], dense, base, trying(map[string]string{"tflite dense": "no", "tflite base": "no state"}))
	if err != nil || len(list) != 1 || list[0].Ran || !strings.Contains(list[0].Note, "no state") {
		t.Errorf("no engine at all: %v, %v", list, err)
	}
}

// TestTriedNotes: want of memory or time is the machine's fault, and said.
func TestTriedNotes(t *testing.T) {
	for said, machine := range map[string]bool{
		"engine go: memory limit: the model needs at least 9 bytes": true,
		"engine tflite: the trial run ended with std::bad_alloc":    true,
		"engine tflite: the model did not run within 1m0s":          true,
		"engine tflite: tflite: operator 3 (SVDF) is not supported": false,
	} {
		if machines(errors.New(said)) != machine {
			t.Errorf("%q: the machine's fault: %t", said, !machine)
		}
	}
	var b bytes.Buffer
	printTried(&b, []tried{{Engine: "go", Ran: true}, {Engine: "tflite", Note: "loaded, not run: one run takes more than 30s"}})
	if want := "  loaded and run once on go\n  tflite: loaded, not run: one run takes more than 30s\n"; b.String() != want {
		t.Errorf("%q, want %q", b.String(), want)
	}
	if quick([]tried{{Ran: true, took: time.Minute}}) || !quick([]tried{{Ran: true, took: time.Minute}, {Ran: true, took: time.Second}}) {
		t.Error("quick is not the fastest engine's")
	}
}
