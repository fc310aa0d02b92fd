package main

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"edged/internal/broker"
	"edged/mqtt"
)

func TestWatchRefusesABrokerWithAPassword(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(context.Background(), []string{"watch", "--broker", "tcp://u:hunter2@localhost"}, &out, &errs)
	if code != exitUsage || strings.Contains(errs.String(), "hunter2") || !strings.Contains(errs.String(), "password_file") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}

// toldText ends the watch with the first line that is written to it.
type toldText struct {
	strings.Builder
	stop func()
}

func (w *toldText) Write(b []byte) (int, error) {
	defer w.stop()
	return w.Builder.Write(b)
}

// A watcher to whom nothing comes says so, and what to look at; one to whom
// nothing but states come says that.
func TestWatchSaysThatNothingComes(t *testing.T) {
	b, err := broker.Start("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	ctx, stop := context.WithTimeout(context.Background(), 30*time.Second)
	defer stop()
	cfg := mqtt.Default()
	cfg.Broker, cfg.Log = "tcp://"+b.Address, slog.New(slog.DiscardHandler)
	errs := toldText{stop: stop}
	if err := watch(ctx, cfg, watchOptions{quiet: 50 * time.Millisecond}, io.Discard, &errs); err != nil {
		t.Error(err)
	}
	if got := errs.String(); !strings.Contains(got, cfg.Broker) || !strings.Contains(got, "edged/") || !strings.Contains(got, "--prefix") || strings.Count(got, "\n") != 1 {
		t.Errorf("%q", got)
	}
	for leaf, want := range map[string]string{"status": "no result has come", "result": "", "event": ""} {
		var errs bytes.Buffer
		v := &viewer{prefix: "edged", out: io.Discard, stop: func() {}, masks: map[string][][]byte{}}
		v.show(mqtt.Received{Topic: "edged/n/c/" + leaf, Payload: []byte("{}")})
		v.sayQuiet(&errs, "tcp://b", time.Second)
		if got := errs.String(); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("after a %s: %q", leaf, got)
		}
	}
}
