// Package cameratest stands in for cameras in tests: an RTSP server in a
// process of its own, which a test can stop and kill, ffmpeg as the camera
// that publishes to it, an MJPEG server that misbehaves when told, and a
// listener that never answers. Everything is on loopback.
package cameratest

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"
)

// roleVariable makes a test binary an RTSP server: see Main.
const roleVariable = "EDGED_CAMERATEST_RTSP"

// Main is to be called first in TestMain. In the child that StartRTSP makes of
// the test binary it serves until killed; elsewhere it returns.
func Main() {
	address, manner, _ := strings.Cut(os.Getenv(roleVariable), " ")
	if address == "" {
		return
	}
	if err := serveRTSP(address, Manner(manner)); err != nil {
		fmt.Fprintln(os.Stderr, "cameratest:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// broadcast sends what the latest publisher sends to every reader.
type broadcast struct {
	manner    Manner
	server    *gortsplib.Server
	mu        sync.Mutex
	streams   []*gortsplib.ServerStream // the latest is for new readers
	publisher *gortsplib.ServerSession
}

func serveRTSP(address string, manner Manner) error {
	b := &broadcast{manner: manner}
	b.server = &gortsplib.Server{Handler: b, RTSPAddress: address}
	if err := b.start(); err != nil {
		return err
	}
	fmt.Println("ready")
	return b.server.Wait()
}

func answer(code base.StatusCode) *base.Response { return &base.Response{StatusCode: code} }

// current is the stream, or the answer to who asks for one that is not there.
func (b *broadcast) current() (*base.Response, *gortsplib.ServerStream, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.streams) == 0 {
		return answer(base.StatusNotFound), nil, nil
	}
	return answer(base.StatusOK), b.streams[len(b.streams)-1], nil
}

// OnDescribe implements gortsplib's handler.
func (b *broadcast) OnDescribe(*gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return b.current()
}

// OnAnnounce takes a publisher in place of the one before. On a path that ends
// in /seamless the readers stay, as with a camera that changes its settings.
func (b *broadcast) OnAnnounce(ctx *gortsplib.ServerHandlerOnAnnounceCtx) (*base.Response, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !strings.HasSuffix(ctx.Path, "/seamless") {
		b.end()
	}
	s := &gortsplib.ServerStream{Server: b.server, Desc: ctx.Description}
	if err := s.Initialize(); err != nil {
		return answer(base.StatusInternalServerError), err
	}
	b.streams, b.publisher = append(b.streams, s), ctx.Session
	return answer(base.StatusOK), nil
}

// end drops every reader.
func (b *broadcast) end() {
	for _, s := range b.streams {
		s.Close()
	}
	b.streams = nil
}

// pass hands a packet to the readers, if it is the latest publisher's.
func (b *broadcast) pass(from *gortsplib.ServerSession, p *rtp.Packet) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if from != b.publisher || b.manner == Keyless && startsPictures(p.Payload) {
		return
	}
	for _, s := range b.streams {
		if err := s.WritePacketRTP(s.Desc.Medias[0], p.Clone()); err != nil {
			fmt.Fprintln(os.Stderr, "cameratest: packet:", err)
		}
	}
}

// OnSetup serves publishers and readers.
func (b *broadcast) OnSetup(ctx *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if ctx.Session.State() == gortsplib.ServerSessionStatePreRecord {
		return answer(base.StatusOK), nil, nil
	}
	if b.refuses(ctx.Transport.Protocol == gortsplib.ProtocolTCP) {
		return answer(base.StatusUnsupportedTransport), nil, nil
	}
	return b.current()
}

// OnPlay implements gortsplib's handler.
func (b *broadcast) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return answer(base.StatusOK), nil
}

// OnRecord passes every packet of the publisher on.
func (b *broadcast) OnRecord(ctx *gortsplib.ServerHandlerOnRecordCtx) (*base.Response, error) {
	ctx.Session.OnPacketRTPAny(func(_ *description.Media, _ format.Format, p *rtp.Packet) { b.pass(ctx.Session, p) })
	return answer(base.StatusOK), nil
}

// OnStreamWriteError says nothing: a reader that is stopped in a test cannot
// keep up.
func (b *broadcast) OnStreamWriteError(*gortsplib.ServerHandlerOnStreamWriteErrorCtx) {}

// OnSessionClose ends the stream with its publisher.
func (b *broadcast) OnSessionClose(ctx *gortsplib.ServerHandlerOnSessionCloseCtx) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if ctx.Session == b.publisher {
		b.end()
	}
}

// Process is a server or a publisher that a test may signal.
type Process struct {
	t   testing.TB
	cmd *exec.Cmd
	out strings.Builder
}

func start(t testing.TB, cmd *exec.Cmd) *Process {
	t.Helper()
	p := &Process{t: t, cmd: cmd}
	if cmd.Stderr == nil {
		cmd.Stderr = &p.out
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	if err := cmd.Start(); err != nil {
		t.Fatalf("cameratest: %v", err)
	}
	t.Cleanup(p.Kill)
	return p
}

// Signal sends sig to this process alone.
func (p *Process) Signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("cameratest: signal %v: %v", sig, err)
	}
}

// Kill ends the process, as pulling its plug would. It may be called twice.
func (p *Process) Kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// FreeAddress is a loopback address that nothing listens on yet.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// StartRTSP starts an RTSP server on address, in a process made of this test's
// binary. Its stream is any path.
func StartRTSP(t testing.TB, address string) *Process { return StartRTSPAs(t, address, OverTCP) }

// StartRTSPAs is StartRTSP of a server with manners of its own.
func StartRTSPAs(t testing.TB, address string, manner Manner) *Process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), roleVariable+"="+address+" "+string(manner))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := start(t, cmd)
	if line, _ := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		t.Fatalf("cameratest: the RTSP server did not start on %s", address)
	}
	return p
}

// Publish runs ffmpeg as a camera: H.264 of a moving test picture of the given
// size ("320x240") at 25 frames a second, a key frame each second.
func Publish(t testing.TB, url, size string) *Process {
	t.Helper()
	return start(t, exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-re",
		"-f", "lavfi", "-i", "testsrc2=size="+size+":rate=25", "-c:v", "libx264", "-preset", "ultrafast",
		"-tune", "zerolatency", "-g", "25", "-threads", "1", "-bsf:v", "dump_extra=freq=keyframe", "-f", "rtsp", "-rtsp_transport", "tcp", url))
}

// PublishFile runs ffmpeg as a camera that sends a clip's packets as they are, at
// their pace, again and again.
func PublishFile(t testing.TB, url, path string) *Process {
	t.Helper()
	return start(t, exec.Command("ffmpeg", "-hide_banner", "-loglevel", "error", "-nostdin", "-re", "-stream_loop", "-1",
		"-i", path, "-c", "copy", "-bsf:v", "h264_mp4toannexb", "-f", "rtsp", "-rtsp_transport", "tcp", url))
}
