package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestLogUnderJournaldCarriesPriorities(t *testing.T) {
	t.Setenv("JOURNAL_STREAM", "8:1")
	var out bytes.Buffer
	log, stop := newLogger(&out)
	log.With("camera", "a").WithGroup("g").Info("one", "k", 1)
	log.Warn("two")
	log.Error("three")
	log.Debug("never")
	stop()
	want := "<6>msg=one camera=a g.k=1\n<4>msg=two\n<3>msg=three\n"
	if got := out.String(); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestLogFoldsRepeatsAndTellsThemAtTheEnd(t *testing.T) {
	t.Setenv("JOURNAL_STREAM", "")
	var out bytes.Buffer
	log, stop := newLogger(&out)
	for range 10 {
		log.Error("frame refused", "camera", "a", "reason", "too_small")
	}
	if n := strings.Count(out.String(), "\n"); n != 1 {
		t.Errorf("%d lines before the end: %s", n, &out)
	}
	stop()
	stop() // may be called again
	if got := out.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, "repeated=9") || !strings.Contains(got, "time=") {
		t.Errorf("at the end: %s", got)
	}
}
