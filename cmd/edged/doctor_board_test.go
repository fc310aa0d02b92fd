package main

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// machine is the files of one.
func machine(files map[string]string) fstest.MapFS {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return root
}

// said is the only finding of a report, in a line.
func said(t *testing.T, look func(*report)) string {
	t.Helper()
	r := &report{OK: true}
	look(r)
	if len(r.Checks) != 1 {
		t.Fatalf("%d findings: %+v", len(r.Checks), r.Checks)
	}
	c := r.Checks[0]
	return strings.TrimSpace(c.State + " " + c.Detail + " -> " + c.Fix)
}

func TestDoctorOnBoards(t *testing.T) {
	const pi, throttled = "proc/device-tree/model", "sys/devices/platform/soc/soc:firmware/get_throttled"
	for _, c := range []struct {
		files map[string]string
		want  []string
	}{
		{nil, []string{"ok it does not say what it is"}},
		{map[string]string{pi: "Raspberry Pi 3\x00", "sys/class/thermal/thermal_zone0/temp": "48000"}, []string{"ok Raspberry Pi 3, 48 °C"}},
		{map[string]string{pi: "Raspberry Pi 3\x00", throttled: "1"}, []string{"warn", "slowed: under-voltage", "own supply"}},
		{map[string]string{throttled: "40000"}, []string{"warn", "was slowed since the start: heat", "heat sink"}},
	} {
		got := said(t, func(r *report) { r.checkBoard(machine(c.files)) })
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%v: %s, want %s", c.files, got, want)
			}
		}
	}
}

func TestDoctorOnStorage(t *testing.T) {
	const card = "20 1 179:2 / / rw - ext4 /dev/mmcblk0p2 rw\n"
	files := func(mounts, sectors, life string) map[string]string {
		return map[string]string{"proc/self/mountinfo": mounts, "sys/block/mmcblk0/mmcblk0p2/ro": "0", "sys/block/mmcblk0/device/type": "SD",
			"sys/block/mmcblk0/stat": "1 0 0 0 1 0 " + sectors + " 0", "sys/block/mmcblk0/device/life_time": life}
	}
	for _, c := range []struct {
		files map[string]string
		want  string
	}{
		{files(card, "2000000", ""), "ok /none on SD card mmcblk0, on which this machine writes 1.0 GB a day"},
		{files(card, "200000000", ""), "warn /none on SD card mmcblk0, on which this machine writes 102.4 GB a day -> journal in memory"},
		{files(card, "0", "0x0a 0x01"), "warn /none on SD card mmcblk0, 90 to 100 % of its life used -> replace it"},
		{files(strings.ReplaceAll(card, "rw", "ro"), "0", ""), "FAIL /none on SD card mmcblk0: read-only -> mount"},
		{files("20 1 0:2 / / rw - overlay overlay rw\n", "0", ""), "warn /none, in memory: events"},
	} {
		if got := said(t, func(r *report) { r.checkWear(machine(c.files), "/none", 24*time.Hour) }); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s\nwant %s", got, c.want)
		}
	}
}

func TestDoctorOnClocks(t *testing.T) {
	if got := said(t, func(r *report) { r.checkBattery(machine(nil)) }); !strings.HasPrefix(got, "warn this machine has no clock of its own") {
		t.Error(got)
	}
	r := &report{}
	if r.checkBattery(machine(map[string]string{"sys/class/rtc/rtc0/name": "x"})); len(r.Checks) != 0 {
		t.Errorf("%+v", r.Checks)
	}
}

func TestDoctorNamesTheMissingPlugin(t *testing.T) {
	const csi = "libcamerasrc ! video/x-raw,format=BGR ! videoconvert ! appsink"
	plugins := map[string]string{}
	for _, step := range []struct{ add, want string }{
		{"", "libcamerasrc"},
		{"usr/lib/aarch64-linux-gnu/gstreamer-1.0/libgstlibcamera.so", "videoconvert"},
		{"usr/lib/aarch64-linux-gnu/gstreamer-1.0/libgstvideoconvertscale.so", "appsink"},
		{"usr/local/lib/aarch64-linux-gnu/gstreamer-1.0/libgstapp.so", ""},
	} {
		if step.add != "" {
			plugins[step.add] = ""
		}
		if got, fix := missingPlugin(machine(plugins), csi); got != step.want || (fix == "") != (got == "") {
			t.Errorf("with %v: %q (%s), want %q", plugins, got, fix, step.want)
		}
	}
	for _, source := range []string{"/dev/video0", "test:belt", " ! ", "tee ! name ! "} {
		if got, _ := missingPlugin(machine(nil), source); got != "" {
			t.Errorf("%q lacks %s", source, got)
		}
	}
}
