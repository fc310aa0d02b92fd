package cameratest

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// MJPEG is an HTTP server of multipart JPEG pictures. Its fields may be
// changed while it runs.
type MJPEG struct {
	Width, Height atomic.Int64
	Cut           atomic.Int64 // so many of the next pictures are cut in half
	Silent        atomic.Bool  // send nothing, keep the connection
	Still         atomic.Bool  // send one picture over and over
	HangUp        atomic.Bool  // end the stream now, and refuse new ones
	Sent          atomic.Int64
	server        *http.Server
	listener      net.Listener
	done          chan struct{}
	pauses        []time.Duration // before each picture, again and again
}

// StartMJPEG serves pictures of w x h at fps on address ("" picks one).
func StartMJPEG(t testing.TB, address string, w, h, fps int) *MJPEG {
	t.Helper()
	return StartTriggered(t, address, w, h, time.Second/time.Duration(fps))
}

// StartTriggered serves a picture after each of the pauses in turn, as a camera
// behind a light barrier does.
func StartTriggered(t testing.TB, address string, w, h int, pauses ...time.Duration) *MJPEG {
	t.Helper()
	if address == "" {
		address = "127.0.0.1:0"
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	m := &MJPEG{listener: l, pauses: pauses}
	m.Width.Store(int64(w))
	m.Height.Store(int64(h))
	m.server = &http.Server{Handler: m}
	m.done = make(chan struct{})
	go func() {
		defer close(m.done)
		m.server.Serve(l)
	}()
	t.Cleanup(m.Stop)
	return m
}

// Stop frees the address. It may be called twice.
func (m *MJPEG) Stop() {
	m.server.Close()
	<-m.done
}

// URL is where the pictures are.
func (m *MJPEG) URL() string { return "http://" + m.listener.Addr().String() + "/mjpeg" }

// ServeHTTP streams until the client goes.
func (m *MJPEG) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if m.HangUp.Load() {
		http.Error(w, "no camera", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "multipart/x-mixed-replace; boundary=frame")
	tick := time.NewTicker(m.pauses[0])
	defer tick.Stop()
	for n := 0; ; n++ {
		if len(m.pauses) > 1 {
			tick.Reset(m.pauses[n%len(m.pauses)])
		}
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
		if m.HangUp.Load() {
			return
		}
		if m.Silent.Load() {
			continue
		}
		if m.Still.Load() {
			n = 0
		}
		b := Picture(int(m.Width.Load()), int(m.Height.Load()), n)
		if m.Cut.Load() > 0 {
			m.Cut.Add(-1)
			b = b[:len(b)/2]
		}
		fmt.Fprintf(w, "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n", len(b))
		w.Write(b)
		fmt.Fprint(w, "\r\n")
		w.(http.Flusher).Flush()
		m.Sent.Add(1)
	}
}

// Picture is a JPEG that shows something else for every n.
func Picture(w, h, n int) []byte {
	m := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		x, y := i%m.YStride, i/m.YStride
		m.Y[i] = byte(64 + (x+3*n)%128 ^ y%32)
	}
	for i := range m.Cb {
		m.Cb[i], m.Cr[i] = byte(96+n%64), 128
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		panic("BUG: " + err.Error())
	}
	return b.Bytes()
}

// StartBlackHole listens on address, takes every connection and never answers.
// stop makes the address free again.
func StartBlackHole(t testing.TB, address string) (stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var open []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			open = append(open, c)
		}
		for _, c := range open {
			c.Close()
		}
	}()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			l.Close()
			<-done
		}
	}
	t.Cleanup(stop)
	return stop
}
