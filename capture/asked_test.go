package capture

import "testing"

// Another reason is told once, and not each time that its numbers differ.
func TestReasonsAreNews(t *testing.T) {
	var r reasons
	for _, c := range []struct {
		reason string
		want   bool
	}{
		{"select() timeout", true}, {"no device /dev/video0; present: none", true}, {"select() timeout; the stream has ended soon after opening 2 times in a row", false},
		{"no device /dev/video1; present: none", false}, {"a", true}, {"b", true}, {"c", true}, {"d", false},
	} {
		if got := r.news(c.reason); got != c.want {
			t.Errorf("%q: %v", c.reason, got)
		}
	}
}

func TestDiffers(t *testing.T) {
	for _, c := range []struct {
		cfg    Config
		w, h   int
		fourCC string
		want   string
	}{
		{Config{}, 640, 480, "YUYV", ""},
		{Config{Width: 640, Height: 480}, 640, 480, "YUYV", ""},
		{Config{Width: 640, Height: 480, FourCC: "mjpg"}, 640, 480, "MJPG", ""},
		{Config{FourCC: "Y16 "}, 640, 480, "Y16", ""},
		{Config{Width: 641, Height: 480}, 640, 480, "YUYV", "size 640x480, asked for 641x480"},
		{Config{Width: 1, Height: 1, FourCC: "MJPG"}, 2, 2, "YUYV", "size 2x2, asked for 1x1; pixel code YUYV, asked for MJPG"},
		{Config{Width: 1, Height: 1, FourCC: "MJPG"}, 0, 0, "", ""}, // it does not tell
	} {
		if got := c.cfg.differs(c.w, c.h, c.fourCC); got != c.want {
			t.Errorf("%+v of %dx%d %s: %q, want %q", c.cfg, c.w, c.h, c.fourCC, got, c.want)
		}
	}
}
