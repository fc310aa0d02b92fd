//go:build tools

package avi

import (
	"encoding/json"
	"os/exec"
	"testing"
)

// FFmpeg is the reader that counts: OpenCV uses it.
func TestFFmpegReadsEveryFrame(t *testing.T) {
	for _, frames := range []int{1, 9} {
		path := write(t, frames, 50, 34)
		out, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-of", "json", "-show_entries",
			"stream=codec_name,width,height,nb_frames,nb_read_frames,avg_frame_rate", path).CombinedOutput()
		if err != nil {
			t.Fatalf("ffprobe: %v\n%s", err, out)
		}
		var got struct {
			Streams []map[string]any `json:"streams"`
		}
		if err := json.Unmarshal(out, &got); err != nil || len(got.Streams) != 1 {
			t.Fatalf("%v: %s", err, out)
		}
		s := got.Streams[0]
		if s["codec_name"] != "mjpeg" || s["width"] != 50.0 || s["height"] != 34.0 || s["avg_frame_rate"] != "25/2" {
			t.Errorf("%v", s)
		}
		for _, key := range []string{"nb_frames", "nb_read_frames"} {
			if want := map[int]string{1: "1", 9: "9"}[frames]; s[key] != want {
				t.Errorf("%s = %v, want %s", key, s[key], want)
			}
		}
	}
}
