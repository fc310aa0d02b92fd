package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

func TestWatchRefusesABrokerWithAPassword(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(context.Background(), []string{"watch", "--broker", "tcp://u:hunter2@localhost"}, &out, &errs)
	if code != exitUsage || strings.Contains(errs.String(), "hunter2") || !strings.Contains(errs.String(), "password_file") {
		t.Errorf("exit %d: %s", code, errs.String())
	}
}
