package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"edged"
	"edged/internal/daemontest"
	"edged/internal/stage"
	"edged/train/nets"
)

// edgedDeadly is the program in which models that hold this word crash, some
// frames after their trial, which a child named edged makes.
const edgedDeadly = "edged-deadly"

func mainDeadly() {
	engines.Open = func(name string, model []byte, o edged.Options) (edged.Engine, error) {
		e, err := openEngine(name, model, o)
		if err != nil || !bytes.Contains(model, []byte(edgedDeadly)) {
			return e, err
		}
		return &deadly{Engine: e}, nil
	}
	main()
}

type deadly struct {
	edged.Engine
	runs int
}

func (d *deadly) Run() error {
	if d.runs++; d.runs > 3 {
		var nowhere *int
		*nowhere = 1
	}
	return d.Engine.Run()
}

// lastGoodPlant is a config of a camera a whose model good has proven itself;
// another lies in its place, which is deadly.
func lastGoodPlant(t *testing.T) (config string, good *stage.File) {
	t.Helper()
	dir := t.TempDir()
	good, err := stage.Read(daemontest.DenseFile(t, dir, nets.Valid, 48, 56))
	if err != nil {
		t.Fatal(err)
	}
	state := filepath.Join(dir, "state")
	if err := os.Mkdir(state, 0o755); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(state, "a.good.tflite"), good.Data)
	writeFile(t, filepath.Join(state, "state.json"), fmt.Appendf(nil, `{"models": {"a": {"good": %q}}}`, good.SHA256))
	model := daemontest.DenseFile(t, dir, nets.Valid, 48, 60)
	data, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, model, append(data, edgedDeadly...)) // bytes behind the graph are kept and ignored
	config = filepath.Join(dir, "edged.toml")
	writeFile(t, config, []byte("[node]\nname = \"n\"\nhttp = \"\"\n[mqtt]\nbroker = \"tcp://127.0.0.1:1\"\nspool_dir = \"state\"\n"+
		"[[camera]]\nname = \"a\"\nsource = \"test:belt?size=96x80\"\nmodel = \"dense.tflite\"\nengine = \"go\"\n"))
	return config, good
}

// A new model that crashes the program again and again gives way to the last good
// one, by itself. Ends that it did not cause are not held against it, whatever
// lies between them.
func TestCrashLoopEndsWithTheLastGoodModel(t *testing.T) {
	config, good := lastGoodPlant(t)
	for _, name := range []string{"edged", "edged", edgedDeadly, "edged", edgedDeadly, edgedDeadly} {
		cmd, log := startAs(t, name, "run", "-c", config)
		if name == edgedDeadly {
			log.await(t, "SIGSEGV", 1)
		} else { // the model is well: somebody ends the program
			log.await(t, "model in use", 1)
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
		err := cmd.Wait()
		if crashed := strings.Contains(log.String(), "SIGSEGV"); err == nil || crashed != (name == edgedDeadly) {
			t.Fatalf("%s ended with %v:\n%s", name, err, log)
		}
		if strings.Contains(log.String(), "last good") {
			t.Fatalf("too early:\n%s", log)
		}
	}
	cmd, log := startAs(t, edgedDeadly, "run", "-c", config)
	log.await(t, "the last run ended because of a model", 1)
	log.await(t, "back to the last good model", 1)
	log.await(t, "sha256="+good.SHA256[:12], 2)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
