package capture

import (
	"cmp"
	"time"

	"edged/capture/internal/gige"
)

// IsGigE tells whether a source is a GigE Vision camera.
func IsGigE(source string) bool { return gige.Is(source) }

// OnCommand tells whether a source is a camera that takes a picture for each command
// which edged sends it, when somebody waits for one.
func OnCommand(source string) bool {
	c, err := gige.Parse(source)
	return gige.Is(source) && err == nil && c.Commands
}

// GigECameras asks every network of this machine for GigE Vision cameras and lists
// those that answer within wait: the source to use, and what it is.
func GigECameras(wait time.Duration) (all []string) {
	for _, f := range gige.Discover("", wait) {
		all = append(all, gige.Prefix+cmp.Or(f.Serial, f.Address)+"  "+f.String())
	}
	return all
}
