package capture

import (
	"cmp"
	"strings"
	"time"

	"edged/capture/internal/gige"
)

// OnCommand tells whether a source is a camera that takes a picture for each command
// which edged sends it, when somebody waits for one.
func OnCommand(source string) bool {
	if !strings.HasPrefix(source, gige.Prefix) {
		return false
	}
	c, err := gige.Parse(source)
	return err == nil && c.Commands
}

// GigECameras asks every network of this machine for GigE Vision cameras and lists
// those that answer within wait: the source to use, and what it is.
func GigECameras(wait time.Duration) (all []string) {
	for _, f := range gige.Discover("", wait) {
		all = append(all, gige.Prefix+cmp.Or(f.Serial, f.Address)+"  "+f.String())
	}
	return all
}
