//go:build tools && tflite && cgo

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"edged/internal/daemon"
	"edged/internal/daemontest"
	"edged/mqtt/mqtttest"
	"edged/train/nets"
)

// clip is Debian's opencv-doc: 795 frames of 768x576, people walking.
const (
	clip       = "/usr/share/doc/opencv-doc/examples/data/vtest.avi"
	clipFrames = 795
)

// buildPrograms builds edged and edged-camera as make does.
func buildPrograms(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for program, tags := range map[string]string{
		"edged": "tflite", "edged-camera": "opencv customenv gocv_specific_modules gocv_videoio",
	} {
		out, err := exec.Command("go", "build", "-tags", tags, "-o", filepath.Join(dir, program), "../"+program).CombinedOutput()
		if err != nil {
			t.Fatalf("go build %s: %v\n%s", program, err, out)
		}
	}
	return dir
}

// poseCamera is the segmentation output of MediaPipe's pose net, whose facts
// the config must give because its file has no manifest.
func poseCamera() string {
	deps := os.Getenv("DEPS")
	if deps == "" {
		deps = "../../.deps"
	}
	model, err := filepath.Abs(filepath.Join(deps, "models", "pose_landmark_lite.tflite"))
	if err != nil {
		panic("BUG: " + err.Error())
	}
	return fmt.Sprintf(`model = %q
labels = ["background", "person"]
prepare = { channel_order = "RGB", mean = [0], scale = [0.00392156862745098] }
output = { tensor = "Identity_2", meaning = "logits", threshold = 0.5, stride = [1, 1] }`, model)
}

// A real clip through OpenCV, TFLite and mosquitto, checked by Pillow: every
// frame is accounted for and every mask is what its result says.
func TestRunOnceOnARealClip(t *testing.T) {
	bin := buildPrograms(t)
	broker := mqtttest.StartBroker(t)
	dir := t.TempDir()
	camera := fmt.Sprintf("model = %q", daemontest.DenseFile(t, dir, nets.ValidInt8, 96, 128))
	if os.Getenv("EDGED_EXTENDED") != "" {
		camera = poseCamera()
	}
	config := filepath.Join(dir, "edged.toml")
	writeFile(t, config, fmt.Appendf(nil, "[node]\nname = \"n\"\nhttp = \"\"\n[mqtt]\nbroker = %q\nqueue_bytes = \"64MiB\"\n[[camera]]\nname = \"c\"\nsource = %q\n%s\n",
		broker.URL(), clip, camera))

	subscriber := exec.Command("/usr/bin/python3", "testdata/subscriber.py", fmt.Sprint(broker.Port))
	var summary bytes.Buffer
	subscriber.Stdout = &summary
	stderr, err := subscriber.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := subscriber.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { subscriber.Process.Kill() })
	if line, err := bufio.NewReader(stderr).ReadString('\n'); err != nil || !strings.HasPrefix(line, "ready") {
		t.Fatalf("subscriber: %q, %v", line, err)
	}

	run := exec.Command(filepath.Join(bin, "edged"), "run", "-c", config, "--once", "--json")
	var log bytes.Buffer
	run.Stderr = &log
	out, err := run.Output()
	if err != nil {
		t.Fatalf("edged run: %v\n%s", err, log.String())
	}
	var l daemon.Ledger
	if err := json.Unmarshal(out, &l); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	c := l.Cameras["c"]
	if c.Read != clipFrames || c.Published+c.PassedOver+c.Refused+c.Failed != clipFrames || c.InWork != 0 || !l.Balanced {
		t.Errorf("of %d frames: %+v", clipFrames, c)
	}
	if err := subscriber.Wait(); err != nil {
		t.Fatalf("subscriber: %v", err)
	}
	var s struct {
		Results, Masks, Last uint64
		Faults               []string
	}
	if err := json.Unmarshal(summary.Bytes(), &s); err != nil {
		t.Fatalf("%v: %s", err, summary.String())
	}
	if len(s.Faults) > 0 || s.Results != c.Published || s.Last != c.Published || s.Masks != c.Published {
		t.Errorf("subscriber: %+v, published %d", s, c.Published)
	}
}
