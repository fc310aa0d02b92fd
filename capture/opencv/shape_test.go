//go:build opencv && cgo

package opencv

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"edged"
	"edged/capture"
	"edged/capture/cameratest"
)

// blue says in which corner a frame is blue and not red.
func blue(f *edged.Frame) string {
	s := ""
	for _, c := range []struct {
		name string
		x, y int
	}{{"top left", 8, 8}, {"top right", f.W - 9, 8}, {"bottom left", 8, f.H - 9}, {"bottom right", f.W - 9, f.H - 9}} {
		p := f.Pix[c.y*f.Stride+c.x*3:][:3]
		if f.Format == edged.RGB {
			p = []byte{p[2], p[1], p[0]}
		}
		if p[0] > 128 && p[2] < 128 {
			s += c.name
		}
	}
	return s
}

// TestTurnedClips: clips stand as players show them, on their content. FFmpeg's tag
// counts counter-clockwise.
func TestTurnedClips(t *testing.T) {
	dir := t.TempDir()
	upright := filepath.Join(dir, "0.mp4")
	ffmpeg(t, "-f lavfi -i color=red:size=128x96:rate=5 -f lavfi -i color=blue:size=64x48:rate=5 -filter_complex overlay=0:0 -frames:v 3 -c:v libx264 -pix_fmt yuv420p", upright)
	for _, c := range []struct {
		name, args, want string
		w                int
	}{
		{"0.mp4", "", "top left", 128},
		{"90.mp4", "90", "bottom left", 96}, {"180.mp4", "180", "bottom right", 128}, {"270.mp4", "270", "top right", 96},
		{"90.mov", "90", "bottom left", 96},
	} {
		path := filepath.Join(dir, c.name)
		if c.args != "" {
			ffmpeg(t, "-i "+upright+" -c copy -metadata:s:v rotate="+c.args, path)
		}
		cfg := config(path)
		cfg.EveryFrame, cfg.Once = true, true
		src := open(t, cfg)
		for range 2 {
			if f := next(t, src); f.W != c.w || blue(&f) != c.want {
				t.Errorf("%s: %dx%d, blue %s, want %s", c.name, f.W, f.H, blue(&f), c.want)
			}
		}
		balanced(t, src)
	}
}

// TestTurnedPictures: so do an HTTP camera's, unless told otherwise.
func TestTurnedPictures(t *testing.T) {
	m := image.NewRGBA(image.Rect(0, 0, 128, 96))
	for i := range 128 * 96 {
		c := color.RGBA{R: 255, A: 255}
		if i%128 < 64 && i/128 < 48 {
			c = color.RGBA{B: 255, A: 255}
		}
		m.SetRGBA(i%128, i/128, c)
	}
	var b bytes.Buffer
	jpeg.Encode(&b, m, nil)
	tiff := []byte("Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00")
	head := binary.BigEndian.AppendUint16([]byte{0xff, 0xd8, 0xff, 0xe1}, uint16(len(tiff)+2))
	file := string(head) + string(tiff) + string(b.Bytes()[2:])
	part := fmt.Sprintf("--b\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n%s\r\n", len(file), file)
	address := cameratest.StartScript(t, "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=b\r\n\r\n"+part+part+part+part+"--b\r\n", "")
	for ignore, want := range map[bool]string{false: "top right", true: "top left"} {
		cfg := config("http://" + address + "/")
		cfg.IgnoreEXIF = ignore
		src := open(t, cfg)
		if f := next(t, src); blue(&f) != want || f.W != map[bool]int{false: 96, true: 128}[ignore] {
			t.Errorf("EXIF ignored %v: %dx%d, blue %s, want %s", ignore, f.W, f.H, blue(&f), want)
		}
		src.Close()
	}
}

// TestPipelineFormats: what OpenCV would take for grey is converted or refused.
func TestPipelineFormats(t *testing.T) {
	const head = "videotestsrc num-buffers=3 pattern=blue ! "
	for end, want := range map[string]string{
		"video/x-raw,format=NV12,width=64,height=48 ! appsink":            "64x48 BGR blue",
		"video/x-raw,format=YV12,width=64,height=48 ! appsink sync=false": "64x48 BGR blue",
		"video/x-raw,format=GRAY8,width=64,height=48 ! appsink":           "64x48 Gray",
		"video/x-bayer,format=rggb,width=64,height=48":                    "64x48 BGR blue",
		"video/x-bayer,format=(string)gbrg,width=64,height=48 ! appsink":  "64x48 BGR blue",
		"video/x-raw,format=GRAY8,width=64,height=48 ! jpegenc ! appsink": "could not link",
		"nosuchelement ! appsink":                                         `no element "nosuchelement"`,
		"video/x-raw,width=64 ! videoconvert nosuchproperty=3 ! appsink":  `no property "nosuchproperty"`,
	} {
		cfg := config(head + end)
		cfg.EveryFrame, cfg.Once = true, true
		src := open(t, cfg)
		var f edged.Frame
		got := ""
		if err := src.Next(context.Background(), &f); err != nil {
			got = err.Error()
		} else {
			got = fmt.Sprintf("%dx%d %v", f.W, f.H, f.Format)
			if f.Format == edged.BGR && blue(&f) == "top lefttop rightbottom leftbottom right" {
				got += " blue"
			}
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", end, got, want)
		}
		src.Close()
	}
}

// TestDeepPipeline: 16-bit grey keeps the bits that carry the picture.
func TestDeepPipeline(t *testing.T) {
	for bits, want := range map[int]byte{16: 126, 15: 251, 0: 126} {
		cfg := config("videotestsrc num-buffers=3 pattern=solid-color foreground-color=0xff7f7f7f ! video/x-raw,format=GRAY16_LE,width=64,height=48 ! appsink")
		cfg.EveryFrame, cfg.Bits = true, bits
		src := open(t, cfg)
		if f := next(t, src); f.Format != edged.Gray || f.Pix[0] < want-3 || f.Pix[0] > want+3 {
			t.Errorf("bits %d: %v of %d, want %d", bits, f.Format, f.Pix[0], want)
		}
		src.Close()
	}
}

// TestExchanged: which devices' pictures OpenCV 4.6 gives with red and blue in each
// other's place; make test-v4l2 looks at the colours.
func TestExchanged(t *testing.T) {
	for _, c := range []struct {
		version, code string
		want          bool
	}{{"4.6.0", "NV12", true}, {"4.6.0", "NV21", true}, {"4.6.0", "YUYV", false}, {"4.10.0", "NV12", false}} {
		if got := exchanged(c.version, c.code); got != c.want {
			t.Errorf("OpenCV %s, %s: %v", c.version, c.code, got)
		}
	}
}

// TestFileWithoutPictures says so.
func TestFileWithoutPictures(t *testing.T) {
	sound := filepath.Join(t.TempDir(), "sound.mp4")
	ffmpeg(t, "-f lavfi -i sine=d=0.2 -c:a aac", sound)
	_, err := capture.Probe(context.Background(), config(sound))
	if err == nil || !strings.Contains(err.Error(), "holds no pictures") {
		t.Errorf("a file of sound: %v", err)
	}
	os.Remove(sound)
}
