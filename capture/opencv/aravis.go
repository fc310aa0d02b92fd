//go:build opencv && cgo

package opencv

/*
#cgo LDFLAGS: -ldl
#include <stdlib.h>
#include "aravis.h"
*/
import "C"

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"edged/capture/internal/gige"
)

// gigeCamera is a GigE Vision camera behind libaravis. aravissrc, GStreamer's element
// over the same library, ends when the camera is silent for two seconds, as a triggered
// one is, and keeps the camera's commands and the frames' numbers to itself.
type gigeCamera struct {
	arv      C.aravis
	bits     int           // of a grey pixel; 0: as the format says
	commands bool          // each picture is asked for with the command TriggerSoftware
	timeout  time.Duration // for a picture that was asked for
	number   uint64        // the camera's, of the latest frame
	missing  int           // frames that never came, as the numbers say, and were not told yet
}

// gigePicture is a frame in the library's memory, until give.
type gigePicture struct {
	data   []byte
	w, h   int
	format uint32
}

const (
	// gigeBuffers is how many frames the library may hold.
	gigeBuffers = 8
	// gigeLook is how often a camera that sends nothing is looked at.
	gigeLook = 200 * time.Millisecond
	// discovery is how long cameras have to answer.
	discovery = 500 * time.Millisecond
)

// noControl matches what aravis says of a camera that another program controls: it
// answers with a refusal, or not at all.
var noControl = regexp.MustCompile(`access.denied|ACCESS_DENIED|not-controller|register timeout`)

// told is what a call of aravis.h says went wrong.
func told(why *C.char) error {
	if why == nil {
		return nil
	}
	defer C.free(unsafe.Pointer(why))
	return errors.New(C.GoString(why))
}

// open opens the camera and sets its features.
func (g *gigeCamera) open(cam *gige.Camera) (w, h int, err error) {
	if err := told(C.aravis_load()); err != nil {
		return 0, 0, fmt.Errorf("no GigE camera is read without libaravis: install the Debian package libaravis-0.8-0 (%w)", err)
	}
	if err := g.find(cam.Name); err != nil {
		return 0, 0, err
	}
	taken := errors.New("the camera " + cam.Name + " takes no commands: another program has control of it: end that, or wait some seconds if it has just ended")
	if C.aravis_controls(&g.arv) == 0 {
		return 0, 0, taken
	}
	if err := g.set(cam); err != nil && noControl.MatchString(err.Error()) {
		return 0, 0, fmt.Errorf("%w (%w)", taken, err)
	} else if err != nil {
		return 0, 0, fmt.Errorf("the camera %s does not take its features: %w", cam.Name, err)
	}
	var cw, ch C.int
	err = told(C.aravis_size(&g.arv, &cw, &ch))
	return int(cw), int(ch), err
}

// find opens the camera. The library knows it by its full name and address; by its
// serial number, or its user's name for it, it is looked for here, which is quicker too.
func (g *gigeCamera) find(name string) error {
	at := name
	var all []gige.Found
	if net.ParseIP(name) == nil {
		all = gige.Discover("", discovery)
		at = cmp.Or(gige.Address(all, name), name)
	}
	text := C.CString(at)
	defer C.free(unsafe.Pointer(text))
	err := told(C.aravis_open(&g.arv, text))
	if err != nil && strings.Contains(err.Error(), "not found") {
		if all == nil { // an address, or nobody was quick enough
			all = gige.Discover(name, discovery)
		}
		return errors.New(gige.Missing(name, all))
	}
	return err
}

func (g *gigeCamera) set(cam *gige.Camera) error {
	pixels, features := C.CString(cam.Pixels), C.CString(cam.Features)
	defer C.free(unsafe.Pointer(pixels))
	defer C.free(unsafe.Pointer(features))
	packet, _ := strconv.Atoi(cam.PacketSize) // digits, or empty
	return told(C.aravis_set(&g.arv, pixels, features, C.int(packet)))
}

// start has the camera send, or wait for its trigger.
func (g *gigeCamera) start() error { return told(C.aravis_start(&g.arv, gigeBuffers)) }

// next waits for the next frame; whole is false for one of which packets are missing.
func (g *gigeCamera) next() (p gigePicture, whole bool, err error) {
	if g.commands {
		C.aravis_drain(&g.arv) // a picture that came late is of a command before
		if err := told(C.aravis_trigger(&g.arv)); err != nil {
			return p, false, fmt.Errorf("it does not take the command TriggerSoftware: %w", err)
		}
	}
	for began := time.Now(); ; {
		var c C.aravis_picture
		switch C.aravis_next(&g.arv, &c, C.uint64_t(gigeLook.Microseconds())) {
		case 1:
			g.count(uint64(c.number))
			return gigePicture{unsafe.Slice((*byte)(c.data), int(c.size)), int(c.w), int(c.h), uint32(c.format)}, true, nil
		case 2:
			g.count(uint64(c.number))
			return p, false, nil
		}
		if C.aravis_controls(&g.arv) == 0 {
			return p, false, errors.New("the camera does not answer any more, or another program has taken control of it")
		}
		if g.commands && g.timeout > 0 && time.Since(began) > g.timeout {
			return p, false, fmt.Errorf("it has sent no picture within %v of the command TriggerSoftware", g.timeout)
		}
	}
}

// count notes a frame's number, and how many are missing before it.
func (g *gigeCamera) count(number uint64) {
	if !g.commands {
		g.missing += gige.Missed(g.number, number)
	}
	g.number = number
}

// give gives the frame's memory back.
func (g *gigeCamera) give() { C.aravis_give(&g.arv) }

func (g *gigeCamera) close() { C.aravis_close(&g.arv) }
