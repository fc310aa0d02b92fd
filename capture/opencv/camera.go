//go:build opencv && cgo

package opencv

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unsafe"

	"gocv.io/x/gocv"

	"edged/capture/internal/httpcam"
	"edged/capture/internal/wire"
	"edged/capture/internal/worker"
)

// Main runs a camera worker until edged hangs up and returns its exit code.
func Main() int {
	cam := newCamera()
	if err := cam.log.readable(); err != nil {
		fmt.Fprintln(os.Stderr, "edged-camera is started by edged, not by hand:", err)
		return 2
	}
	return worker.Main(cam)
}

// camera is a worker.Camera over cv::VideoCapture.
//
// VideoCapture.Read creates its output only where size or type differ, so a Mat
// laid over a slot gets the picture decoded straight into the slot. Whether it
// did is checked for every frame: the Mat's data must still be the slot.
type camera struct {
	vc      *gocv.VideoCapture
	size    wire.Want
	slots   [][]byte
	mats    []gocv.Mat
	spare   gocv.Mat // for frames without a slot, and those of another size
	log     complaints
	http    *httpcam.Camera // not nil: its pictures are JPEG files, see http.go
	torn    bool            // the latest of them breaks off
	gige    *gigeCamera     // not nil: its pictures come from libaravis, see gige.go
	most    int64           // pixels of the largest picture taken
	lying   bool            // pictures are taken as they lie, whatever their EXIF says
	shape   shape           // what its pictures lack
	allowed int64           // pixels that this process has the memory for
	each    bool            // pictures without a slot may yet get one
	enough  wire.Enough     // how coarse they may be

	device bool        // it is one
	failed int         // reads in a row that gave nothing
	watch  *time.Timer // for packets without a picture; nil: nobody does
}

// maxFailed is how many frames in a row may be undecodable before the source
// counts as ended.
const maxFailed = 64

func newCamera() *camera {
	return &camera{spare: gocv.NewMat(), shape: shape{raw: gocv.NewMat()}, log: complaints{fd: 2}}
}

// Enough implements worker.Camera.
func (c *camera) Enough(e wire.Enough) { c.enough = e }

func (c *camera) Library() string { return "OpenCV " + gocv.OpenCVVersion() }

// backends: asked for by name, so that OpenCV does not try one after the other.
var backends = map[string]gocv.VideoCaptureAPI{
	"device": gocv.VideoCaptureV4L2, "rtsp": gocv.VideoCaptureFFmpeg, "http": gocv.VideoCaptureFFmpeg,
	"file": gocv.VideoCaptureFFmpeg, "pipeline": gocv.VideoCaptureGstreamer,
}

func (c *camera) Open(o wire.Open) (wire.Opened, error) {
	api, ok := backends[o.Kind]
	if !ok && o.Kind != "gige" {
		return wire.Opened{}, fmt.Errorf("no backend for a source of kind %q", o.Kind)
	}
	if err := c.allow(0, 0); err != nil {
		return wire.Opened{}, err
	}
	c.failed, c.torn, c.most, c.each, c.device = 0, false, o.MaxPixels, o.Each, o.Kind == "device"
	c.log.fetch() // what was said before is not about this source
	c.log.hide(o.Source)
	if o.Kind == "gige" {
		return c.openGigE(o)
	}
	if o.Kind == "http" {
		opened, err := c.openHTTP(o)
		if !video(err) {
			return opened, err
		}
	}
	vc, err := c.openVideo(o, api)
	if err != nil {
		return wire.Opened{}, err
	}
	c.configure(o)
	if o.Kind == "rtsp" {
		talkative()
		c.watchPackets()
	}
	c.shape.look(o, vc)
	w, h := int(vc.Get(gocv.VideoCaptureFrameWidth)), int(vc.Get(gocv.VideoCaptureFrameHeight))
	if err := c.allow(w, h); err != nil {
		return wire.Opened{}, err
	}
	return wire.Opened{
		Backend: backendName(api), FourCC: fourCC(vc.Get(gocv.VideoCaptureFOURCC)), Width: w, Height: h,
		FPS: vc.Get(gocv.VideoCaptureFPS), Frames: max(0, int64(vc.Get(gocv.VideoCaptureFrameCount))),
	}, nil
}

// openVideo has OpenCV open the source. A camera that refuses RTSP's packets over
// TCP (461) gets UDP from then on.
func (c *camera) openVideo(o wire.Open, api gocv.VideoCaptureAPI) (vc *gocv.VideoCapture, err error) {
	for tried := false; ; tried = true {
		vc, err = gocv.VideoCaptureFileWithAPI(target(o), api)
		c.vc = vc
		if err == nil {
			return vc, nil
		}
		gocv.ClearLastException()
		said := c.log.fetch()
		if o.Kind != "rtsp" || tried || !bytes.Contains(said, []byte("461")) || !otherTransport() {
			return nil, errors.New(c.whyNot(o, said))
		}
		vc.Close()
	}
}

// whyNot is why OpenCV could not open the source.
func (c *camera) whyNot(o wire.Open, said []byte) string {
	switch o.Kind {
	case "device":
		if why := whyNotDevice(target(o)); why != "" {
			return why
		}
	case "pipeline":
		if why := whyNoPipeline(target(o)); why != "" {
			return c.log.clean("GStreamer: " + why)
		}
	case "file":
		if len(telling(said)) == 0 {
			return "it holds no pictures: OpenCV finds no video in it"
		}
	}
	return cmp.Or(c.log.reason(said), "OpenCV cannot open it")
}

// otherTransport has FFmpeg take UDP in place of TCP; it tells whether that is new.
func otherTransport() bool {
	const name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
	options := os.Getenv(name)
	changed := strings.Replace(options, "rtsp_transport;tcp", "rtsp_transport;udp", 1)
	return changed != options && os.Setenv(name, changed) == nil
}

// allow has this process take the memory for pictures of w x h pixels, 0: none are
// known yet, before any is taken for them.
func (c *camera) allow(w, h int) error {
	pixels := int64(max(w, 0)) * int64(max(h, 0))
	if w > 0 && h > 0 && int64(w) > c.most/int64(h) {
		return fmt.Errorf("a picture of %dx%d pixels: at most %.1f million are taken on this machine", w, h, float64(c.most)/1e6)
	}
	if pixels > 0 && pixels <= c.allowed {
		return nil
	}
	c.allowed = pixels
	return worker.Allow(pixels)
}

// target is what OpenCV is to open: a pipeline must end in its appsink.
func target(o wire.Open) string {
	switch {
	case o.Kind == "device":
		path, _, _ := strings.Cut(o.Source, "?")
		return path
	case o.Kind == "pipeline":
		return pipeline(o)
	}
	if o.Kind == "rtsp" {
		address, _ := worker.Transport(worker.Scheme(o.Source))
		return address
	}
	if o.Kind == "http" {
		return worker.Scheme(o.Source)
	}
	return o.Source
}

// configure asks a device for its format. The pixel code goes first: it decides
// which sizes and rates the device offers.
func (c *camera) configure(o wire.Open) {
	if o.Kind != "device" {
		return
	}
	if o.FourCC != "" {
		c.vc.Set(gocv.VideoCaptureFOURCC, c.vc.ToCodec(o.FourCC))
	}
	if o.Bits > 8 {
		c.vc.Set(gocv.VideoCaptureConvertRGB, 0) // Y10, Y12 and Y16 as they are
	}
	if o.Width > 0 {
		c.vc.Set(gocv.VideoCaptureFrameWidth, float64(o.Width))
		c.vc.Set(gocv.VideoCaptureFrameHeight, float64(o.Height))
	}
	if o.FPS > 0 {
		c.vc.Set(gocv.VideoCaptureFPS, o.FPS)
	}
}

func (c *camera) Bind(size wire.Want, slots [][]byte) error {
	c.closeMats()
	c.size, c.slots = size, slots
	for i := range slots {
		c.mats = append(c.mats, gocv.Mat{})
		if err := c.lay(i); err != nil {
			return err
		}
	}
	return nil
}

// lay lays a new Mat over slot i.
func (c *camera) lay(i int) (err error) {
	typ := gocv.MatTypeCV8UC3
	if c.size.Ch == 1 {
		typ = gocv.MatTypeCV8UC1
	}
	c.mats[i], err = gocv.NewMatFromBytes(c.size.H, c.size.W, typ, c.slots[i])
	if err != nil {
		return fmt.Errorf("opencv: Mat over shared memory: %w", err)
	}
	return nil
}

func (c *camera) Read(i int) (worker.Picture, error) {
	m := &c.spare
	if i >= 0 {
		m = &c.mats[i]
	}
	if c.http != nil {
		return c.readHTTP(i, m)
	}
	if c.gige != nil {
		return c.readGigE(i, m)
	}
	if ok, err := c.grab(m); !ok || err != nil {
		if err != nil {
			return worker.Picture{}, err
		}
		return c.unread(i)
	}
	said := c.log.fetch()
	if resized(said, m.Cols(), m.Rows()) {
		return worker.Picture{}, errors.New("the picture changed its size")
	}
	return c.picture(i, m, said)
}

// grab reads the next picture into m.
func (c *camera) grab(m *gocv.Mat) (bool, error) {
	if !c.shape.needed() {
		return c.vc.Read(m), nil
	}
	if !c.vc.Read(&c.shape.raw) {
		return false, nil
	}
	return true, c.shape.into(m)
}

// picture describes what was read into m and during which the libraries said
// something, or nothing.
func (c *camera) picture(i int, m *gocv.Mat, said []byte) (worker.Picture, error) {
	c.failed = 0
	c.unwatch()
	p := worker.Picture{W: m.Cols(), H: m.Rows(), Corrupt: c.torn || decodeError(said), Empty: m.Empty()}
	if p.Empty {
		return p, c.relay(i)
	}
	switch m.Type() {
	case gocv.MatTypeCV8UC3:
		p.Ch = 3
	case gocv.MatTypeCV8UC1:
		p.Ch = 1
	default:
		return p, fmt.Errorf("pictures of type %v: edged takes 8-bit BGR or grey; convert in the pipeline", m.Type())
	}
	if i < 0 {
		return p, nil
	}
	data, err := m.DataPtrUint8()
	if err != nil {
		return p, fmt.Errorf("opencv: picture: %w", err)
	}
	p.InPlace = unsafe.SliceData(data) == unsafe.SliceData(c.slots[i])
	if !p.InPlace { // OpenCV took memory of its own: keep the picture, lay a new Mat over the slot
		c.spare.Close()
		c.spare = *m
		return p, c.lay(i)
	}
	return p, nil
}

// unread tells why Read got nothing: a frame that the decoder could make
// nothing of, after which others may follow, or the end.
func (c *camera) unread(i int) (worker.Picture, error) {
	gocv.ClearLastException()
	said := c.log.fetch()
	if c.failed++; c.failed <= maxFailed && decodeError(said) {
		return worker.Picture{Empty: true}, c.relay(i)
	}
	if why := c.log.reason(said); why != "" {
		return worker.Picture{}, errors.New(why)
	}
	if c.device {
		return worker.Picture{}, errors.New("the device gives no picture any more: it was unplugged, or its driver has failed")
	}
	return worker.Picture{}, io.EOF
}

// relay lays a Mat over slot i again after OpenCV has emptied it.
func (c *camera) relay(i int) error {
	if i < 0 {
		return nil
	}
	c.mats[i].Close()
	return c.lay(i)
}

func (c *camera) Take(dst []byte) error {
	src, err := c.spare.DataPtrUint8()
	if err != nil {
		return fmt.Errorf("opencv: picture: %w", err)
	}
	if len(src) != len(dst) {
		return fmt.Errorf("opencv: picture of %d bytes for a slot of %d", len(src), len(dst))
	}
	copy(dst, src)
	return nil
}

func (c *camera) Close() {
	c.unwatch()
	if c.vc != nil {
		c.vc.Close()
		c.vc = nil
	}
	if c.http != nil {
		c.http.Close()
		c.http = nil
	}
	if c.gige != nil {
		c.gige.close()
		c.gige = nil
	}
	c.closeMats()
}

func (c *camera) closeMats() {
	for i := range c.mats {
		c.mats[i].Close()
	}
	c.mats = c.mats[:0]
}
