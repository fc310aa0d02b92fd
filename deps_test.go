package edged_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// room is a folder with what it may import of ours and from elsewhere. A name
// with /... stands for the packages below it too.
type room struct {
	folder string
	ours   []string
	others []string
	why    string
}

// rooms is the table of the architecture, with the reason for each line. The
// longest folder that fits a package counts.
var rooms = []room{
	{".", nil, nil, "the vocabulary is what every room shares: it must cost nobody anything"},
	{"model", []string{"internal/fact"}, nil, "reading a graph needs no engine, and tools and fuzzers build on it alone"},
	{"rewrite", []string{".", "model"}, nil, "a proof that chose its own engine would prove that engine's view; the caller hands one in"},
	{"tflite", []string{".", "model"}, []string{"github.com/mattn/go-tflite"},
		"go-tflite stays behind the Engine; model explains what the library refuses"},
	{"fallback", []string{".", "model", "internal/kernel/..."}, []string{"golang.org/x/sys/unix"}, "the engine in Go runs where nothing else does"},
	{"internal/kernel", []string{"internal/kernel/..."}, nil, "the sets of routines, one of each room"},
	{"internal/kernel/cpu", nil, []string{"golang.org/x/sys/cpu"}, "which instruction sets there are is a question of the machine's alone"},
	{"internal/kernel/vec", []string{"internal/kernel/cpu"}, nil, "kernels are loops over slices, testable alone"},
	{"internal/kernel/picture", []string{"internal/kernel/cpu"}, nil, "frames in, class ids out: the frame path needs no other kernel"},
	{"internal/kernel/gemm", []string{"internal/kernel/cpu", "internal/kernel/vec"}, nil, "tiles requantise as vec's fixed-point arithmetic says"},
	{"internal/kernel/conv", []string{"internal/kernel/cpu", "internal/kernel/vec"}, nil, "as gemm, which it does without"},
	{"internal/kernel/kerneltest", []string{"internal/kernel/cpu"}, nil, "what tests of kernels share"},
	{"capture", []string{".", "capture/...", "internal/child", "internal/fault", "internal/infile"}, []string{"golang.org/x/sys/unix"}, "frames come from a worker: this side has no cgo and no OpenCV"},
	{"capture/opencv", []string{"capture/..."}, []string{"gocv.io/x/gocv", "golang.org/x/sys/unix"}, "the only room that sees gocv"},
	{"capture/cameratest", []string{"."}, []string{"*"}, "cameras that tests break: real servers, for tests alone"},
	{"mqtt", []string{".", "mqtt/...", "internal/fault", "internal/maskpng", "internal/infile"},
		[]string{"github.com/eclipse/paho.mqtt.golang/...", "github.com/klauspost/compress/..."}, "the only room that sees paho"},
	{"mqtt/mqtttest", []string{".", "mqtt/...", "internal/maskpng"},
		[]string{"github.com/eclipse/paho.mqtt.golang/...", "github.com/santhosh-tekuri/jsonschema/v6", "go.uber.org/goleak", "github.com/klauspost/compress/..."},
		"an independent subscriber and validator, for tests"},
	{"systemd", nil, []string{"github.com/coreos/go-systemd/v22/..."}, "life signs know nothing of frames"},
	{"internal/rows", []string{".", "model"}, nil, "a strip's graph is a model like any other: the engine that runs it is handed in"},
	{"internal/parts", []string{"."}, nil, "parts are cut of masks, whoever made them"},
	{"internal/tiles", []string{".", "model"}, nil, "tiles are arithmetic on a manifest's facts: engines are handed in"},
	{"internal/pipeline", []string{".", "internal/fact", "internal/fault", "internal/kernel/picture", "internal/parts", "internal/tiles", "internal/mono"}, nil, "the loop knows interfaces: sources, engines and sinks are wired by cmd/edged"},
	{"internal/enginetest", []string{".", "model"}, []string{"pgregory.net/rapid", "github.com/google/go-cmp/..."}, "a suite that imported an engine could be kind to it"},
	{"internal/verdict", []string{".", "internal/fault", "internal/zones"}, nil, "rules see masks alone"},
	{"internal/mono", nil, nil, "a clock that is never set back, for every room"},
	{"internal/zones", []string{".", "internal/fault"}, nil, "polygons on masks, whoever draws them"},
	{"internal/quality", []string{"."}, nil, "a picture is measured without asking what it shows"},
	{"internal/maskpng", []string{"."}, []string{"github.com/klauspost/compress/..."}, "a mask's file format, whoever sends it"},
	{"internal/page", []string{".", "internal/maskpng", "internal/zones", "internal/mono", "internal/spare"}, []string{"golang.org/x/image/..."}, "the page shows what it is given"},
	{"internal/evidence", []string{".", "internal/maskpng", "internal/mono", "internal/spare"}, []string{"github.com/klauspost/compress/..."}, "frames to files: what a verdict is and who asks, others know"},
	{"internal/board", nil, nil, "what a machine tells of itself is files below a root, made by tests"},
	{"internal/metrics", []string{"internal/board"}, []string{"github.com/prometheus/client_golang/..."}, "counters are read from a snapshot, kept elsewhere"},
	{"internal/commission", []string{".", "capture", "model", "rewrite", "internal/atomicfile", "internal/child", "internal/config", "internal/infile", "internal/page", "internal/pipeline", "internal/stage", "internal/tomlfile", "internal/zones"}, []string{"golang.org/x/sys/unix"},
		"a camera is set up without a daemon: no broker, no cobra; engines are handed in, long work is a child's"},
	{"internal/avi", nil, nil, "a file format"},
	{"internal/npy", nil, nil, "a file format"},
	{"internal/logfold", nil, nil, "a log handler"},
	{"internal/tomlfile", nil, []string{"github.com/pelletier/go-toml/v2/..."}, "a file format"},
	{"internal/eval", []string{".", "model", "rewrite", "capture/belt", "internal/..."}, []string{"gonum.org/v1/plot/...", "github.com/jedib0t/go-pretty/v6/..."},
		"accuracy is measured on any engine: the caller hands one in"},
	{"internal/fault", nil, nil, "a fault of a key carries the key, whoever finds it"},
	{"internal/fact", []string{"internal/fault"}, nil, "one home for each rule that manifest, config and pipeline share"},
	{"internal/child", nil, []string{"golang.org/x/sys/unix"}, "the one way to start a process serves every room"},
	{"internal/infile", nil, nil, "the one way to open a file from outside serves every room"},
	{"internal/signals", nil, nil, "it is initialised before whatever takes time"},
	{"internal/atomicfile", nil, nil, "files that are there whole or not at all"},
	{"internal/noise", []string{"."}, nil, "what a model is fed when nobody looks at what comes out"},
	{"internal/runtimes", nil, nil, "tests alone, of files that edged writes on runtimes that it does not link"},
	{"internal/broker", nil, []string{"github.com/mochi-mqtt/server/v2/..."}, "a broker knows nothing of who uses it"},
	{"internal/config", []string{".", "internal/parts", "capture", "capture/belt", "model", "mqtt", "systemd", "internal/fact", "internal/fault", "internal/pipeline", "internal/tomlfile", "internal/verdict", "internal/quality", "internal/infile", "internal/zones", "internal/evidence"}, nil,
		"a key is checked by the room it is for; which engines there are it is told"},
	{"internal/stage", []string{".", "model", "internal/config", "internal/parts", "internal/pipeline", "internal/rows", "internal/tiles", "internal/verdict", "internal/quality", "internal/infile", "internal/zones"}, nil,
		"what surrounds a model serves infer and check too: no broker, no camera; engines are handed in"},
	{"internal/daemon", []string{".", "capture", "model", "mqtt", "systemd", "internal/atomicfile", "internal/audit", "internal/board", "internal/child", "internal/config", "internal/evidence", "internal/metrics", "internal/noise", "internal/page", "internal/pipeline", "internal/shadow", "internal/spare", "internal/stage", "internal/infile", "internal/zones", "internal/mono"}, []string{"golang.org/x/sys/unix"},
		"all that runs, testable without a command: no cobra, no engine, no gocv"},
	{"quantize", []string{".", "model", "rewrite"}, nil, "the engine that learns ranges is handed in, and so are pictures"},
	{"tune", []string{".", "model", "rewrite", "internal/child"}, nil, "PyTorch learns in a child, and is held against an engine that is handed in"},
	{"packaging", nil, nil, "files that ship beside the programs"},
	{"internal/spare", nil, nil, "a share of time is the same for all who work in it"},
	{"internal/audit", []string{".", "rewrite", "internal/pipeline", "internal/spare"}, nil,
		"an audit that chose its own engines would audit their view: they are handed in"},
	{"internal/shadow", []string{".", "internal/pipeline", "internal/spare"}, nil, "a second model on answered frames: nothing of it can reach a result"},
	{"internal/delegatetest", []string{"model"}, nil, "the external delegate that tests build knows no engine"},
	{"internal/daemontest", []string{"model", "mqtt", "rewrite", "internal/broker", "train/nets"}, []string{"github.com/eclipse/paho.mqtt.golang"},
		"an independent subscriber, for tests"},
	{"train", []string{"./..."}, nil, "training may use everything; nothing of the daemon imports it"},
	{"train/nets", nil, nil, "the bundled nets are data: whoever wants them gets no trainer along"},
	{"cmd/edged", []string{"./..."}, []string{"*"}, "the only wiring point"},
	{"cmd/edged-camera", []string{"capture/opencv"}, nil, "the worker is OpenCV and nothing else"},
	{"internal/benchnets", []string{".", "model", "fallback"}, nil, "graphs to measure on, written as anyone would"},
	{"internal/benchnets/count", []string{".", "fallback", "tflite"}, []string{"golang.org/x/sys/unix"}, "both engines between two marks, for an emulator that counts"},
	{"internal/faults", []string{"./..."}, []string{"*"}, "the fault run drives the built programs from outside, with every test helper there is"},
	{"internal/docgen", []string{"mqtt/schema"}, nil, "the references are made from what the program reads, and from nothing else"},
	{"internal/setup", []string{"./..."}, []string{"*"}, "set-up and its tests are no part of a program"},
}

// forbidden are importers and what none of their dependencies may be.
var forbidden = []struct{ program, dependency, why string }{
	{"edged/cmd/edged", "gocv.io/x/gocv", "a crash in a codec must not take the daemon along"},
	{"edged/cmd/edged", "edged/capture/opencv", "OpenCV lives in the worker"},
	{"edged/cmd/edged", "edged/train", "the trainer is no part of the daemon"},
	{"edged/cmd/edged", "testing", "test helpers do not ship"},
	{"edged/cmd/edged", "edged/capture/cameratest", "test helpers do not ship"},
	{"edged/cmd/edged", "edged/mqtt/mqtttest", "test helpers do not ship"},
	{"edged/cmd/edged", "edged/internal/kernel/kerneltest", "test helpers do not ship"},
	{"edged/cmd/edged", "edged/internal/daemontest", "test helpers do not ship"},
	{"edged/cmd/edged", "edged/internal/delegatetest", "test helpers do not ship"},
	{"edged/internal/daemon", "edged/fallback", "the daemon is handed its engines"},
	{"edged/internal/daemon", "edged/tflite", "the daemon is handed its engines"},
	{"edged/internal/daemon", "github.com/spf13/cobra", "a verb is cmd/edged's"},
	{"edged/internal/daemon", "gocv.io/x/gocv", "OpenCV lives in the worker"},
	{"edged/cmd/edged-camera", "edged/tflite", "the worker runs no model"},
	{"edged/cmd/edged-camera", "github.com/eclipse/paho.mqtt.golang", "the worker talks to the daemon alone"},
}

// starters may import os/exec: internal/child, whose children have limits and die
// with their parent, and what is no part of a program that ships.
var starters = []string{"internal/child", "capture/cameratest", "internal/delegatetest", "internal/faults", "internal/setup/...", "mqtt/mqtttest"}

// listed is what go list tells of a package.
type listed struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
	CgoFiles   []string
}

func goList(t *testing.T, cgo, tags string) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-tags", tags, "-json=ImportPath,Standard,Imports,Deps,CgoFiles", "./...")
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	d := json.NewDecoder(strings.NewReader(string(out)))
	for {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

func TestImportDirection(t *testing.T) {
	for _, build := range []struct{ cgo, tags string }{{"0", ""}, {"1", "tflite opencv customenv gocv_specific_modules gocv_videoio"}} {
		t.Run("cgo="+build.cgo, func(t *testing.T) {
			all := goList(t, build.cgo, build.tags)
			if len(all) < 20 {
				t.Fatalf("go list tells of %d packages: this test looks at nothing", len(all))
			}
			for _, p := range all {
				for _, fault := range faultsOf(p) {
					t.Error(fault)
				}
				if build.cgo == "0" && len(p.CgoFiles) > 0 {
					t.Errorf("%s: needs cgo in the build without", p.ImportPath)
				}
			}
		})
	}
}

// faultsOf lists what p imports against the table.
func faultsOf(p listed) []string {
	folder := folderOf(p.ImportPath)
	r := roomOf(folder)
	if r == nil {
		return []string{fmt.Sprintf("%s: no room of the table holds it: add a line, with its reason", folder)}
	}
	var faults []string
	for _, imported := range p.Imports {
		switch {
		case imported == "os/exec" && !allowed(starters, folder):
			faults = append(faults, folder+" imports os/exec: internal/child is the one way to start a process")
		case isOurs(imported):
			if target := folderOf(imported); !allowed(r.ours, target) {
				faults = append(faults, fmt.Sprintf("%s imports %s: %s", folder, target, r.why))
			}
		case strings.Contains(strings.SplitN(imported, "/", 2)[0], "."):
			if !allowed(r.others, imported) {
				faults = append(faults, fmt.Sprintf("%s imports %s: %s", folder, imported, r.why))
			}
		}
	}
	for _, f := range forbidden {
		if p.ImportPath == f.program && slices.Contains(p.Deps, f.dependency) {
			faults = append(faults, fmt.Sprintf("%s depends on %s: %s", f.program, f.dependency, f.why))
		}
	}
	return faults
}

// Which engine runs is chosen in one file.
func TestOneFileKnowsBothEngines(t *testing.T) {
	files, err := filepath.Glob("cmd/edged/*.go")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	var both []string
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		engines := 0
		for _, i := range f.Imports {
			if i.Path.Value == `"edged/tflite"` || i.Path.Value == `"edged/fallback"` {
				engines++
			}
		}
		if engines == 2 {
			both = append(both, file)
		}
	}
	if !slices.Equal(both, []string{"cmd/edged/engine.go"}) {
		t.Errorf("%q know both engines: cmd/edged/engine.go alone may", both)
	}
}

func isOurs(path string) bool { return path == "edged" || strings.HasPrefix(path, "edged/") }

// folderOf is a package of ours as the table names it.
func folderOf(path string) string {
	if path == "edged" {
		return "."
	}
	return strings.TrimPrefix(path, "edged/")
}

// roomOf is the line of the table with the longest folder around f.
func roomOf(f string) *room {
	var best *room
	for i, r := range rooms {
		if (f == r.folder || strings.HasPrefix(f, r.folder+"/")) && (best == nil || len(r.folder) > len(best.folder)) {
			best = &rooms[i]
		}
	}
	return best
}

// allowed tells whether one of the patterns fits a path.
func allowed(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		prefix, below := strings.CutSuffix(p, "/...")
		return p == "*" || path == prefix || below && (prefix == "." || strings.HasPrefix(path, prefix+"/"))
	})
}

// The test of the test: each kind of breach is found.
func TestFaultsOfFindsBreaches(t *testing.T) {
	for _, c := range []struct {
		p    listed
		want string
	}{
		{listed{ImportPath: "edged/rewrite", Imports: []string{"edged/tflite"}}, "rewrite imports tflite"},
		{listed{ImportPath: "edged", Imports: []string{"golang.org/x/sys/cpu"}}, ". imports golang.org/x/sys/cpu"},
		{listed{ImportPath: "edged/unheard"}, "no room"},
		{listed{ImportPath: "edged/capture/belt", Imports: []string{"gocv.io/x/gocv"}}, "capture/belt imports gocv"},
		{listed{ImportPath: "edged/cmd/edged", Deps: []string{"gocv.io/x/gocv"}}, "depends on gocv"},
		{listed{ImportPath: "edged/internal/daemon", Imports: []string{"github.com/spf13/cobra"}}, "internal/daemon imports github.com/spf13/cobra"},
		{listed{ImportPath: "edged/internal/daemon", Deps: []string{"edged/fallback"}}, "depends on edged/fallback"},
		{listed{ImportPath: "edged/capture", Imports: []string{"os/exec"}}, "capture imports os/exec: internal/child"},
		{listed{ImportPath: "edged/internal/stage", Imports: []string{"edged/mqtt"}}, "internal/stage imports mqtt"},
	} {
		if got := faultsOf(c.p); len(got) != 1 || !strings.Contains(got[0], c.want) {
			t.Errorf("%+v: %q, want one fault with %q", c.p, got, c.want)
		}
	}
	if got := faultsOf(listed{ImportPath: "edged/fallback", Imports: []string{"edged", "edged/model", "fmt", "unsafe"}}); got != nil {
		t.Errorf("nothing is wrong, but: %q", got)
	}
}
