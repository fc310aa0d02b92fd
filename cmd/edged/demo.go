package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"edged/capture"
	"edged/capture/belt"
	"edged/internal/broker"
	"edged/internal/config"
	"edged/internal/daemon"
)

// demoOptions are the flags of demo.
type demoOptions struct {
	http    string
	broker  string
	model   string
	source  string
	engine  string
	seconds float64
	frames  int
	line    bool
	verbose bool
}

func newDemoCmd() *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a scene, a model, a broker and a page in one command",
		Long: `Run the whole path on a bundled scene: no camera, no broker and no config needed.

A conveyor belt with metal parts is filmed into a clip, read back through OpenCV
by edged-camera, segmented, published to a broker inside this program, and shown
on a page. Most parts are good; one that is not turns the verdict to NG once three
results in a row agree, and both changes are events. It goes on until Ctrl-C, then
says what became of every frame and message. Everything listens on loopback only.`,
		Example: `  edged demo
  edged demo --seconds 20
  edged demo --line
  edged demo --broker tcp://localhost:1883 --http 127.0.0.1:8080`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := openerOf(o.engine); err != nil {
				return err
			}
			return runDemo(cmd.Context(), o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.http, "http", "", "`ADDRESS` of the page (default "+config.DefaultHTTP+", or a free port when that is taken)")
	f.StringVar(&o.broker, "broker", "", "publish to the broker at `URL` in place of the one inside")
	f.StringVar(&o.model, "model", "", "run this .tflite `FILE`, which must carry its manifest")
	engineFlag(f, &o.engine, "engine of the model")
	f.StringVar(&o.source, "source", "", "look at this `SOURCE` in place of the belt")
	f.BoolVar(&o.line, "line", false, "a line camera over an endless belt: the mask scrolls on the page, a verdict a part")
	f.Float64Var(&o.seconds, "seconds", 0, "end after running so many seconds and print the ledger")
	f.IntVar(&o.frames, "frames", 0, "end after so many results and print the ledger")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "show the daemon's log")
	return cmd
}

func runDemo(ctx context.Context, o demoOptions, stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	dir, err := os.MkdirTemp("", "edged-demo-")
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer os.RemoveAll(dir)
	say := func(format string, args ...any) { fmt.Fprintf(stdout, format+"\n", args...) }

	if err := demoProbe(ctx, o.source); err != nil {
		return err
	}
	camera, err := demoCamera(ctx, &o, dir, say)
	if err != nil {
		return err
	}
	url := o.broker
	if url == "" {
		b, err := demoBroker()
		if err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		defer b.Close()
		url = "tcp://" + b.Address
	}
	c := config.Default()
	c.Node.Name, c.Node.HTTP, c.MQTT.Broker = "demo", demoHTTP(o.http), url
	c.Cameras = []config.Camera{camera}
	if err := c.Check("demo", configEngines); err != nil {
		return err
	}
	return demoLoop(ctx, &c, &o, say, stderr)
}

// demoLoop runs the daemon and tells the user where to look.
func demoLoop(ctx context.Context, c *config.Config, o *demoOptions, say func(string, ...any), stderr io.Writer) error {
	log, flush := newLogger(stderr)
	defer flush()
	if !o.verbose {
		log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	d, err := daemon.New(ctx, c, daemon.Options{Log: log, Loop: true, Engines: engines, Version: version})
	if err != nil && ctx.Err() != nil {
		return nil // told to stop while loading
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.seconds > 0 {
		defer time.AfterFunc(time.Duration(o.seconds*float64(time.Second)), cancel).Stop()
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		tellProgress(ctx, d, c, o.frames, say, cancel)
	}()
	err = d.Run(ctx)
	cancel()
	<-told
	if l := d.Ledger(); err == nil {
		say("")
		_ = l.Print(sayWriter{say})
	}
	return err
}

type sayWriter struct{ say func(string, ...any) }

func (w sayWriter) Write(b []byte) (int, error) {
	w.say("%s", string(b[:len(b)-1]))
	return len(b), nil
}

// tellProgress prints the addresses once the first mask is out, then calls
// enough when so many results are.
func tellProgress(ctx context.Context, d *daemon.Daemon, c *config.Config, frames int, say func(string, ...any), enough func()) {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	told := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		n := int(d.Ledger().Cameras[c.Cameras[0].Name].Published)
		if n > 0 && !told {
			told = true
			tellAddresses(d, c, say)
		}
		if frames > 0 && n >= frames {
			enough()
			return
		}
	}
}

func tellAddresses(d *daemon.Daemon, c *config.Config, say func(string, ...any)) {
	info := d.Info()
	m := info.Models[0]
	say("First mask after %.1f s: %s on %s.\n", time.Since(info.StartedAt.Time).Seconds(), m.Name, m.Engine)
	if m.Why != "" {
		say("  engine      %s (--engine chooses another)", m.Why)
	}
	if address := d.Address(); address != "" {
		say("  page        http://%s/", address)
		if line := sshLine(address, os.Getenv("SSH_CONNECTION")); line != "" {
			say("  from afar   %s, then http://%s/ there", line, address)
		}
	}
	host, port := splitBroker(c.MQTT.Broker)
	say("  broker      %s", c.MQTT.Broker)
	say("  subscribe   mosquitto_sub -h %s -p %s -t 'edged/demo/+/result'", host, port)
	keep := "--save masks"
	if c.Cameras[0].Line != nil {
		keep = "--stitch belt.png" // the mask without end, as pictures
	}
	say("              %s watch --broker %s %s", os.Args[0], c.MQTT.Broker, keep)
	say("\nCtrl-C ends it and prints the ledger.")
}

// sshLine brings a page on loopback to the machine that a shell on this one was
// opened from; connection is SSH_CONNECTION, empty without such a shell.
func sshLine(address, connection string) string {
	host, port, err := net.SplitHostPort(address)
	ends := strings.Fields(connection) // client, its port, server, its port
	if err != nil || len(ends) != 4 || !net.ParseIP(host).IsLoopback() {
		return ""
	}
	return fmt.Sprintf("ssh -L %s:%s %s", port, address, ends[2])
}

func splitBroker(url string) (host, port string) {
	host, port, err := net.SplitHostPort(url[len("tcp://"):])
	if err != nil {
		return url, "1883"
	}
	return host, port
}

// demoBroker is the broker inside, at the same port each time when that is free.
func demoBroker() (*broker.Broker, error) {
	if b, err := broker.Start(demoBrokerAddress); err == nil {
		return b, nil
	}
	return broker.Start("127.0.0.1:0")
}

// demoBrokerAddress leaves 1883 to a broker of the machine's own.
const demoBrokerAddress = "127.0.0.1:1884"

// demoProbe ends the demo where the source that was asked for gives no picture:
// a daemon would wait for it, which is no demonstration.
func demoProbe(ctx context.Context, source string) error {
	if source == "" {
		return nil
	}
	if _, err := capture.Probe(ctx, capture.Config{Name: "demo", Source: source, Log: slog.New(slog.DiscardHandler)}); err != nil && ctx.Err() == nil {
		return fmt.Errorf("demo: --source %s gives no picture; without --source the belt is shown: %w", capture.Redact(source), err)
	}
	return nil
}

// demoHTTP is the page's address: the usual one when it is free.
func demoHTTP(asked string) string {
	if asked != "" {
		return asked
	}
	l, err := net.Listen("tcp", config.DefaultHTTP)
	if err != nil {
		return "127.0.0.1:0"
	}
	l.Close()
	return config.DefaultHTTP
}

// demoBlob is the smallest defect that counts in the demo: a square of 5 by 5.
const demoBlob = 25

// demoCamera is the camera of the demo: its scene and its model.
func demoCamera(ctx context.Context, o *demoOptions, dir string, say func(string, ...any)) (config.Camera, error) {
	cam := config.Camera{Name: "belt", Source: o.source, Engine: o.engine}
	var err error
	if cam.Model, err = demoModel(o, dir); err != nil {
		return cam, err
	}
	if o.model == "" { // the bundled net knows these classes
		for _, class := range []string{"scratch", "pit", "stain"} {
			cam.Rules = append(cam.Rules, config.Rule{Class: class, MinAreaPx: demoBlob, Hold: 3})
		}
	}
	if o.line {
		cam.Line = &config.Line{Strip: demoStrip, Part: demoPart}
		for i := range cam.Rules {
			cam.Rules[i].Hold = 0 // a part's verdict is its own
		}
		if cam.Source == "" {
			cam.Source = belt.Prefix + demoLineScene
		}
	}
	if cam.Source == "" && err == nil {
		cam.Source, err = demoSource(ctx, dir, say)
	}
	cam.WithDefaults()
	return cam, err
}

// demoSource films the belt into a clip for OpenCV to read; without
// edged-camera the belt is watched directly.
func demoSource(ctx context.Context, dir string, say func(string, ...any)) (string, error) {
	if _, err := capture.FindWorker(""); err != nil {
		say("edged-camera is not here, so this runs without OpenCV, on the belt itself (%v).", err)
		return belt.Prefix + demoScene, nil
	}
	say("Filming %d seconds of the belt ...", demoClipSeconds)
	path := filepath.Join(dir, "belt.avi")
	return path, filmBelt(ctx, path, demoClipSeconds)
}
