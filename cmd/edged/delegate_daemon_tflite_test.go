//go:build tflite && cgo

package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"edged/internal/delegatetest"
	"edged/mqtt/mqtttest"
)

// delegatePlant is a config of a camera whose model runs on the test delegate in a
// mode of it.
func delegatePlant(t *testing.T, library, mode string) string {
	t.Helper()
	dir := t.TempDir()
	reluPatch(t, dir)
	config := filepath.Join(dir, "edged.toml")
	writeFile(t, config, fmt.Appendf(nil, `
[node]
name = "n"
http = ""
[mqtt]
broker = "tcp://127.0.0.1:1"
spool_dir = "state"
[audit]
share = 0.5
[[camera]]
name = "a"
source = "test:belt?size=64x48&fps=60"
model = "dense.tflite"
labels = ["x", "y", "z"]
delegate = %q
delegate_options = ["mode=%s"]
prepare = { channel_order = "RGB", mean = [127.5], scale = [0.0078431] }
output = { meaning = "logits" }
`, library, mode))
	return config
}

// TestTheDaemonAndADelegate: a delegate that is right runs a camera's model; one that
// is wrong, crashes or fails does not pass the trial, and the reason is told; one that
// goes wrong later is found by the self-audit, and stays out after a restart.
func TestTheDaemonAndADelegate(t *testing.T) {
	library := delegatetest.Build(t, filepath.Join(cmp.Or(os.Getenv("DEPS"), "../../.deps"), "tflite", "include"))
	for mode, want := range map[string]string{
		"wrong": "its answers are not the model's", "crash": "SIGSEGV", "fails": "cannot prepare this graph",
	} {
		cmd, log := startAs(t, "edged", "run", "-c", delegatePlant(t, library, mode))
		if err := cmd.Wait(); err == nil || !strings.Contains(log.String(), want) || strings.Contains(log.String(), "model in use") {
			t.Errorf("mode %s: %v, want %q\n%s", mode, err, want, log)
		}
	}

	config := delegatePlant(t, library, "late")
	cmd, log := startAs(t, "edged", "run", "-c", config)
	log.await(t, `"model in use"`, 1)
	if !strings.Contains(log.String(), filepath.Base(library)) {
		t.Errorf("the engine is not named:\n%s", log)
	}
	log.await(t, "an answer is not what the model says", 1)
	log.await(t, "verdicts are unsure: the model's answers are not what it says", 1)
	mqtttest.Until(t, 60*time.Second, "another engine to take over", func() bool {
		var state struct {
			Models map[string]struct {
				Chosen struct{ Engine string }
				Wrong  struct{ Engines []string }
			}
		}
		b, err := os.ReadFile(filepath.Join(filepath.Dir(config), "state", "state.json"))
		if err != nil || json.Unmarshal(b, &state) != nil {
			return false
		}
		a := state.Models["a"]
		return len(a.Wrong.Engines) > 0 && a.Chosen.Engine != "" && !strings.HasPrefix(a.Chosen.Engine, "delegate:")
	})
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log)
	}
	again, log := startAs(t, "edged", "run", "-c", config)
	log.await(t, "an audit found the answers of delegate:", 1)
	log.await(t, `"model in use"`, 1)
	if err := again.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := again.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log)
	}
}
