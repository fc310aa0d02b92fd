//go:build tools

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"edged"
	"edged/internal/evidence"
	"edged/mqtt"
	"edged/mqtt/mqtttest"
)

// blockOf is the one block of a page in a language.
func blockOf(t *testing.T, page, language string) []byte {
	t.Helper()
	blocks, _ := splitPage(t, page)
	i := slices.IndexFunc(blocks, func(b *block) bool { return b.kind == language })
	if i < 0 {
		t.Fatalf("%s has no block in %s", page, language)
	}
	return []byte(blocks[i].text)
}

// The recipes' programs print each verdict that changes, once, and nothing else,
// whatever comes twice.
func TestRecipesRun(t *testing.T) {
	broker := mqtttest.StartBroker(t)
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "gate.py"), blockOf(t, "../../docs/9-recipes.md", "python"))
	writeFile(t, filepath.Join(dir, "gate.js"), blockOf(t, "../../docs/9-recipes.md", "js"))
	deps := os.Getenv("DEPS")
	if deps == "" {
		deps = "../../.deps"
	}
	modules, err := filepath.Abs(filepath.Join(deps, "js", "node_modules"))
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, broker)
	say := func(seq uint64, kind, verdict string) {
		t.Helper()
		b, err := json.Marshal(mqtt.Event{Schema: mqtt.Schema, Run: "r", Seq: seq, Kind: kind, Verdict: verdict, PartID: "A"})
		if err != nil {
			t.Fatal(err)
		}
		l.await(l.client.Publish("edged/line1/press/event", 1, false, b))
	}
	for _, args := range [][]string{
		{"/usr/bin/python3", "gate.py", "127.0.0.1", fmt.Sprint(broker.Port)},
		{"node", "gate.js", strings.Replace(broker.URL(), "tcp://", "mqtt://", 1)},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		cmd := exec.CommandContext(ctx, args[0], args[1:]...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "NODE_PATH="+modules)
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := make(chan string, 100)
		go func() {
			defer close(lines)
			for s := bufio.NewScanner(out); s.Scan(); {
				lines <- s.Text()
			}
		}()
		seq := uint64(1) // until it listens: what is new each time
		var first string
		for first == "" {
			say(seq, mqtt.EventVerdict, "NG")
			seq++
			select {
			case line, open := <-lines:
				if !open {
					t.Fatalf("%s: %s", args[1], errs.String())
				}
				first = line
			case <-time.After(100 * time.Millisecond):
			}
		}
		say(seq, mqtt.EventFault, "")
		say(seq+1, mqtt.EventVerdict, "OK")
		say(seq+1, mqtt.EventVerdict, "OK") // again
		say(seq, mqtt.EventVerdict, "NG")   // late
		say(seq+2, mqtt.EventVerdict, "end")
		got := []string{}
		for line := range lines {
			if got = append(got, line); strings.Contains(line, "end") {
				break
			}
		}
		cancel()
		_ = cmd.Wait()                                                                       // it was ended
		got = slices.DeleteFunc(got, func(line string) bool { return line == "press NG A" }) // of the beginning
		if first != "press NG A" || !slices.Equal(got, []string{"press OK A", "press end A"}) {
			t.Errorf("%s: %q, then %q\n%s", args[1], first, got, errs.String())
		}
	}
}

// Evidence is read in Python as its page says.
func TestEvidenceReadsInPython(t *testing.T) {
	dir := t.TempDir()
	s := evidence.Open(evidence.Config{Dir: dir, MaxCount: 1, MaxBytes: 1 << 20, Wait: true, Log: slog.New(slog.DiscardHandler)})
	f := &edged.Frame{W: 4, H: 3, Stride: 12, Format: edged.BGR, Pix: make([]byte, 36)}
	f.Pix[2] = 200 // the first pixel is red
	m := &edged.Mask{W: 2, H: 1, Stride: 2, Pix: []byte{0, 3}}
	s.Offer("cam1", f, m, evidence.Result{Seq: 42, Time: time.Date(2026, 11, 30, 21, 34, 22, 123e6, time.UTC), Body: func() ([]byte, error) { return []byte(`{"verdict": "größer"}`), nil }})
	s.Close(10 * time.Second)
	program := append(blockOf(t, "../../docs/evidence.md", "python"), "\nprint(kept.getpixel((0, 0)), list(mask.getdata()), ascii(result['verdict']))\n"...)
	writeFile(t, filepath.Join(dir, "cam1", "read.py"), program)
	cmd := exec.Command("timeout", "60", "/usr/bin/python3", "read.py")
	cmd.Dir = filepath.Join(dir, "cam1")
	out, err := cmd.CombinedOutput()
	if want := `(200, 0, 0) [0, 3] 'gr\xf6\xdfer'`; err != nil || strings.TrimSpace(string(out)) != want {
		t.Errorf("%v: %s, want %s", err, out, want)
	}
}
