// Package daemon is all that runs: the cameras with their models, the link to
// the broker, the page, the reload of models, and the account of every frame
// and message. Which engines there are it is told.
package daemon

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"edged/internal/config"
	"edged/internal/evidence"
	"edged/internal/page"
	"edged/internal/pipeline"
	"edged/internal/spare"
	"edged/mqtt"
	"edged/systemd"
)

// drainTime is what the daemon grants the broker at its end; with what the
// cameras take it stays below the 5 seconds that systemd and people expect.
const drainTime = 3 * time.Second

// drainTimeOnce is the same for run --once, which has nobody waiting to kill it.
const drainTimeOnce = 30 * time.Second

// Options are what a config does not say.
type Options struct {
	Once    bool // end when every source has ended, and take every frame
	Loop    bool // files start again at their end
	Log     *slog.Logger
	Engines Engines
	Version string // of the program
	Root    fs.FS  // of the machine's own files, /proc and /sys; nil: the real ones

	Hangup <-chan os.Signal               // each asks for a reload; nil: none come
	Reread func() (*config.Config, error) // reads the config anew; nil: it stays
}

// Daemon is everything that runs: the cameras, the link to the broker, the page.
type Daemon struct {
	cfg     *config.Config
	opts    Options
	log     *slog.Logger
	started time.Time
	units   []*unit
	client  *mqtt.Client // nil: no broker is configured
	page    *page.Page
	kept    *evidence.Store // of NGs; nil: none is
	address string          // of the page; empty: it is not served

	turnedAway atomic.Uint64 // connections to the page, beyond maxViewers

	stateMu  sync.Mutex
	memory   *memory
	troubles troubles

	configuring sync.Mutex
	waits       string           // what a restart would take over from the config
	limit       atomic.Int64     // node.memory_limit as it is now
	tried       map[tried]Choice // by "auto", since the start

	share *spare.Share // of time, for audits and shadows; nil: none

	heat heat

	lastStop *mqtt.LastStop // of the run before
}

// New loads every model and lays out every camera. Nothing runs yet.
func New(ctx context.Context, c *config.Config, o Options) (*Daemon, error) {
	d := &Daemon{cfg: c, opts: o, log: o.Log, started: time.Now(), page: page.New(c.Node.Name, c.Names()), tried: map[tried]Choice{}, troubles: troubles{}}
	if d.limit.Store(int64(c.Node.MemoryLimit)); c.Node.MemoryLimit > 0 {
		debug.SetMemoryLimit(int64(c.Node.MemoryLimit))
	}
	if c.Audit.Share > 0 {
		d.share = spare.New(c.Audit.Share)
	}
	d.opts.Engines.Limit = d.limit.Load
	if d.opts.Root == nil {
		d.opts.Root = os.DirFS("/")
	}
	d.heat.root, d.heat.log = d.opts.Root, o.Log
	var err error
	if d.memory, err = openMemory(c.StateDir()); err != nil {
		o.Log.Warn("starting without the state of the last run", "err", err.Error())
	}
	for _, b := range d.memory.blame {
		o.Log.Error("the last run ended because of a model", "camera", b.camera, "sha256", b.sha256[:min(12, len(b.sha256))], "cause", b.cause)
	}
	if err := d.memory.listen(o.Engines.ReportFaults); err != nil {
		o.Log.Warn("a crash by a model would not be told from another", "err", err.Error())
	}
	if c.MQTT.Broker != "" {
		mc := c.Client()
		mc.Log = o.Log
		client, err := mqtt.New(mc)
		if err != nil {
			return nil, config.Bad(err)
		}
		d.client = client
	}
	for i := range c.Cameras {
		u, err := newUnit(ctx, d, &c.Cameras[i])
		if err == nil && ctx.Err() != nil {
			u.abandon()
			err = ctx.Err()
		}
		if err != nil {
			d.abandon()
			return nil, err
		}
		d.units = append(d.units, u)
	}
	return d, nil
}

// abandon closes what New had opened before it failed.
func (d *Daemon) abandon() {
	for _, u := range d.units {
		u.abandon()
	}
	if d.client != nil {
		d.closeClient(false, ending{time.Now()})
	}
}

// Run carries frames until ctx is done or, with once, every source has ended.
func (d *Daemon) Run(ctx context.Context) error {
	lastStop := d.memory.lastStop()
	if err := d.memory.started(d.started); err != nil {
		d.log.Warn("state not saved", "err", err.Error())
	}
	d.startEvidence()
	defer d.startWeb()()
	d.lastStop = lastStop
	d.startClient()
	d.traceNode()
	for _, u := range d.units {
		u.traceSettings()
	}
	told := ctx // done when somebody wants an end, not when the sources have ended
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	waitSide := d.startSide(ctx)
	d.tellManager(ctx)
	e, err := d.runUnits(ctx)
	why := "every source has ended"
	if told.Err() != nil {
		why = "told to stop"
	}
	d.log.Info("stopping", "reason", why)
	_ = systemd.Stopping() // nothing depends on it
	cancel()
	waitSide()
	d.endEvidence(e)
	d.closeClient(told.Err() == nil, e)
	d.noteStop(why, e.grant(time.Second))
	return err
}

// tellManager says that the start is complete - config, models and their trial,
// not the cameras - and from then on that every camera's loop moves.
func (d *Daemon) tellManager(ctx context.Context) {
	if err := systemd.Ready(fmt.Sprintf("%d camera(s)", len(d.units))); err != nil {
		d.log.Warn("the service manager was not told", "err", err.Error())
	}
	dog, err := systemd.NewWatchdog(d.log)
	if err != nil {
		d.log.Warn("no watchdog", "err", err.Error())
		return
	}
	for _, u := range d.units {
		dog.Watch("camera "+u.cfg.Name, 0, func() (bool, int64) {
			phase, since, _ := u.camera.Progress()
			return phase == pipeline.Waiting, since.UnixNano()
		})
	}
	if d.client != nil {
		dog.Watch("publisher", 0, d.client.Progress)
	}
	go dog.Run(ctx)
}

// startClient publishes who we are and begins to connect.
func (d *Daemon) startClient() {
	if d.client == nil {
		d.log.Info("no broker configured: results go to the page and the metrics alone")
		return
	}
	d.handleCommands()
	d.client.HandleStats(d.stats)
	d.publishInfo()
	for _, u := range d.units {
		d.client.Enabled(u.cfg.Name, true)
		u.publishStatus()
		u.publishZones()
		if u.startFault != "" {
			u.event(mqtt.Event{Kind: mqtt.EventFault, Message: u.startFault})
		}
	}
	d.announce()
	d.client.Start()
}

// closeClient delivers what waits, as long as nobody is in a hurry.
func (d *Daemon) closeClient(patient bool, e ending) {
	if d.client == nil {
		return
	}
	limit := e.grant(drainTime)
	if d.opts.Once && patient {
		limit = drainTimeOnce
		if link, _ := d.client.Link(); !link.Connected {
			limit = e.grant(drainTime) // nobody is there to take what waits
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := d.client.Close(ctx); err != nil {
		d.log.Warn("not everything could be delivered before the end", "err", err.Error())
	}
}

// publishInfo announces what runs, now and on every new connection.
func (d *Daemon) publishInfo() {
	if d.client == nil {
		return
	}
	if err := d.client.Info(d.Info()); err != nil {
		d.log.Error("info not published", "err", err.Error())
	}
}

// Info is what the retained info topic says.
func (d *Daemon) Info() mqtt.Info {
	i := mqtt.Info{Version: d.opts.Version, Classes: map[string][]string{}, StartedAt: mqtt.Time{Time: d.started}, LastStop: d.lastStop}
	for _, u := range d.units {
		m := u.modelInfo()
		i.Models = append(i.Models, m.ModelInfo)
		i.Classes[u.cfg.Name] = m.labels
		i.Cameras = append(i.Cameras, u.cfg.Name)
	}
	return i
}

// unit finds a camera by name; an empty name means the only one.
func (d *Daemon) unit(name string) (*unit, error) {
	if name == "" && len(d.units) == 1 {
		return d.units[0], nil
	}
	for _, u := range d.units {
		if u.cfg.Name == name {
			return u, nil
		}
	}
	return nil, fmt.Errorf("camera %q: there is no such camera; name one of %q", name, d.cfg.Names())
}
