//go:build opencv && cgo

package opencv

import (
	"errors"
	"regexp"
	"strings"
	"time"

	"edged/capture/internal/gige"
	"edged/capture/internal/wire"
)

// discovery is how long cameras have to answer.
const discovery = 500 * time.Millisecond

// refused matches what aravis says of a camera that another program controls: it
// answers with a refusal, or not at all.
var refused = regexp.MustCompile(`access.denied|ACCESS_DENIED|register timeout|Could not set caps`)

// openGigE opens a camera behind aravissrc, which knows it by its full name and
// address; by its serial number alone it is looked for here.
func (c *camera) openGigE(o wire.Open) (wire.Opened, error) {
	cam, err := gige.Parse(o.Source)
	if err != nil {
		return wire.Opened{}, err
	}
	o.Kind = "pipeline"
	if o.Bits == 0 {
		o.Bits = cam.Bits()
	}
	name := cam.Name
	for {
		o.Source = cam.Pipeline() + " ! appsink sync=false"
		opened, err := c.Open(o)
		if err == nil {
			opened.FourCC = "GigE"
			return opened, nil
		}
		c.Close()
		why := err.Error()
		switch {
		case strings.Contains(why, `no element "aravissrc"`):
			return opened, errors.New("GStreamer knows no GigE cameras: install the Debian package libaravis-0.8-0")
		case refused.MatchString(why):
			return opened, errors.New("the camera " + name + " takes no commands: another program has control of it: end that, or wait some seconds if it has just ended (" + why + ")")
		case !strings.Contains(why, "not find camera"):
			return opened, err
		}
		all := gige.Discover(name, discovery)
		address := gige.Address(all, name)
		if address == "" || cam.Name == address {
			return opened, errors.New(gige.Missing(name, all))
		}
		cam.Name = address
	}
}
