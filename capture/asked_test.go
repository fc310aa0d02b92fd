package capture

import "testing"

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
