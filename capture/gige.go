package capture

import (
	"cmp"
	"time"

	"edged/capture/internal/gige"
)

// GigECameras asks every network of this machine for GigE Vision cameras and lists
// those that answer within wait: the source to use, and what it is.
func GigECameras(wait time.Duration) (all []string) {
	for _, f := range gige.Discover("", wait) {
		all = append(all, gige.Prefix+cmp.Or(f.Serial, f.Address)+"  "+f.String())
	}
	return all
}
