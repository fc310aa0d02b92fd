//go:build opencv && cgo

package opencv

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"edged/capture/cameratest"
)

// vint reads one of Matroska's numbers, and whether it means an unknown size.
func vint(b []byte) (v uint64, n int, unknown bool) {
	for n = 1; b[0]&(0x80>>(n-1)) == 0; n++ {
	}
	v = uint64(b[0] & (0x80>>(n-1) - 1))
	for _, c := range b[1:n] {
		v = v<<8 | uint64(c)
	}
	return v, n, v == 1<<(7*n)-1
}

// sized is an element's size in eight bytes.
func sized(n int) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)|1<<56) }

// insert puts an element at the end of the first one that path leads to.
func insert(b []byte, path []string, element []byte) []byte {
	for at := 0; at < len(b); {
		_, idLen, _ := vint(b[at:])
		size, sizeLen, unknown := vint(b[at+idLen:])
		begin := at + idLen + sizeLen
		end := begin + int(size)
		if unknown {
			end = len(b)
		}
		if string(b[at:at+idLen]) != path[0] {
			at = end
			continue
		}
		inner := append(append([]byte{}, b[begin:end]...), element...)
		if len(path) > 1 {
			inner = insert(b[begin:end], path[1:], element)
		}
		head := b[at+idLen : begin]
		if !unknown {
			head = sized(len(inner))
		}
		out := append(append([]byte{}, b[:at+idLen]...), head...)
		return append(append(out, inner...), b[end:]...)
	}
	return b
}

// rolled gives a Matroska file's picture a roll, in degrees, as cameras write it.
func rolled(file []byte, degrees float64) []byte {
	projection := []byte{0x76, 0x71, 0x81, 0, 0x76, 0x75, 0x88} // rectangular; pose roll
	projection = binary.BigEndian.AppendUint64(projection, math.Float64bits(degrees))
	element := append(append([]byte{0x76, 0x70}, sized(len(projection))...), projection...)
	return insert(file, []string{"\x18\x53\x80\x67", "\x16\x54\xae\x6b", "\xae", "\xe0"}, element)
}

// quartered makes a clip that is blue top left and red elsewhere, at rate.
func quartered(t *testing.T, path, args string) {
	t.Helper()
	ffmpeg(t, "-f lavfi -i color=red:size=128x96:rate=5 -f lavfi -i color=blue:size=64x48:rate=5 -filter_complex overlay=0:0 -c:v libx264 -pix_fmt yuv420p "+args, path)
}

// TestTurnedMatroska: mkv clips stand as players show them: by their projection's
// roll, and not by a tag of that name, which players pass by.
func TestTurnedMatroska(t *testing.T) {
	dir := t.TempDir()
	upright := filepath.Join(dir, "upright.mkv")
	quartered(t, upright, "-frames:v 3 -f matroska -live 1")
	plain, err := os.ReadFile(upright)
	if err != nil {
		t.Fatal(err)
	}
	tagged := filepath.Join(dir, "tagged.mkv")
	ffmpeg(t, "-i "+upright+" -c copy -metadata:s:v orientation=90", tagged)
	at := map[string]string{upright: "top left", tagged: "top left"}
	for degrees, want := range map[float64]string{0: "top left", 90: "bottom left", -90: "top right", 180: "bottom right"} {
		path := filepath.Join(dir, fmt.Sprint(degrees)+".mkv")
		if err := os.WriteFile(path, rolled(plain, degrees), 0o600); err != nil {
			t.Fatal(err)
		}
		at[path] = want
	}
	for path, want := range at {
		cfg := config(path)
		cfg.EveryFrame, cfg.Once = true, true
		src := open(t, cfg)
		if f := next(t, src); blue(&f) != want || (f.W == 96) != (want == "bottom left" || want == "top right") {
			t.Errorf("%s: %dx%d, blue %s, want %s", filepath.Base(path), f.W, f.H, blue(&f), want)
		}
		src.Close()
	}
}

// TestTurnedRTSP: RTSP carries no orientation, so players show a stream as its
// pictures are coded, whatever the clip said that it was made from.
func TestTurnedRTSP(t *testing.T) {
	dir := t.TempDir()
	upright, turned := filepath.Join(dir, "upright.mp4"), filepath.Join(dir, "turned.mp4")
	quartered(t, upright, "-t 60 -g 5 -preset ultrafast -tune zerolatency")
	ffmpeg(t, "-i "+upright+" -c copy -metadata:s:v rotate=90", turned)
	address := cameratest.FreeAddress(t)
	url := "rtsp://" + address + "/cam"
	cameratest.StartRTSP(t, address)
	cameratest.PublishFile(t, url, turned)
	src := open(t, config(url))
	f := next(t, src)
	shown := filepath.Join(dir, "shown.png")
	ffmpeg(t, "-rtsp_transport tcp -i "+url+" -frames:v 1", shown)
	cfg := config(dir)
	cfg.Source, cfg.Once = shownIn(t, shown), true
	player := next(t, open(t, cfg))
	if f.W != player.W || f.H != player.H || blue(&f) != blue(&player) || blue(&f) != "top left" {
		t.Errorf("%dx%d, blue %s; a player shows %dx%d, blue %s", f.W, f.H, blue(&f), player.W, player.H, blue(&player))
	}
}

// shownIn is a folder that holds a picture alone.
func shownIn(t *testing.T, path string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Rename(path, filepath.Join(dir, "shown.png")); err != nil {
		t.Fatal(err)
	}
	return dir
}
