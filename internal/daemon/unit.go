package daemon

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"edged/capture"
	"edged/internal/audit"
	"edged/internal/config"
	"edged/internal/mono"
	"edged/internal/page"
	"edged/internal/pipeline"
	"edged/internal/shadow"
	"edged/internal/stage"
	"edged/internal/zones"
	"edged/mqtt"
)

const (
	// triggerDepth bounds the triggers that wait for the model.
	triggerDepth = 16

	// triggerTimeout is how long a trigger may wait for its frame.
	triggerTimeout = 2 * time.Second
)

// unit is one camera with its source, its model and its account.
type unit struct {
	d      *Daemon
	cfg    *config.Camera // as it was at the start: its name and source stay
	log    *slog.Logger
	source capture.Source
	camera *pipeline.Camera
	gate   *gate
	conf   atomic.Pointer[config.Camera] // as it is now

	timing     timing
	slot       slot // marks what the model is at
	reloading  sync.Mutex
	startFault string // told once the broker's client is there
	lossesOf   partLosses
	outside    outsiders
	files      capture.Filer // the source, where it reads files; nil: it does not

	mu            sync.Mutex
	file          *stage.File // in use
	engine        string      // in use
	why           string      // it was chosen
	labels        []string    // in use
	usedSince     time.Time
	proven        bool // the model in use is the last good one
	resultsBefore int  // results when it was taken into use
	status        capture.Status
	refusal       string // why the last frame that was refused led to no result
	refusedAt     time.Time
	loaded        *loaded         // in use
	read          map[string]mark // files, as they were when they were last read

	audits    audit.Account
	spare     sync.WaitGroup     // what runs in spare time
	endAudit  context.CancelFunc // of the model in use
	frames    *shadow.Slot       // what a shadow is given
	shadowing sync.Mutex         // one shadow at a time has it
	endShadow context.CancelFunc
	shadow    *running        // nil: none runs
	noShadow  string          // why
	life      context.Context // of spare work: until the camera's end
	endSpare  context.CancelFunc

	lastResult mono.Moment
	zones      *zones.Holder
	ngs        atomic.Uint64 // results with such a verdict
	zoning     sync.Mutex    // one change of them at a time

	result mqtt.Result // reused for every frame
	blobs  int         // that result's BlobsTotal
	line   mqtt.Line   // and its Line
	canvas canvas      // a line camera's
	said   partSaid    // of its last part
}

// newUnit loads the camera's model. The source is opened by run.
func newUnit(ctx context.Context, d *Daemon, cfg *config.Camera) (*unit, error) {
	u := &unit{d: d, cfg: cfg, log: d.log.With("camera", cfg.Name), slot: d.memory.marks.of(cfg.Name)}
	u.life, u.endSpare = context.WithCancel(ctx)
	var err error
	if u.gate, err = newGate(cfg.Trigger); err != nil {
		return nil, config.Bad(err)
	}
	u.conf.Store(cfg)
	if err = u.startZones(); err != nil {
		return nil, err
	}
	l, err := u.firstModel(ctx)
	if err != nil {
		return nil, err
	}
	u.use(l)
	u.camera = pipeline.NewCamera(cfg.Name, nil, l.stage)
	u.camera.Log = d.log
	u.camera.Sink = u
	u.lossesOf.tell = u.tellLoss
	u.frames = shadow.NewSlot()
	u.camera.Witness = u.frames
	u.camera.Missed = u.missed
	u.camera.Faulted = u.faulted
	u.camera.Refused = u.refused
	u.camera.Working = u.working
	u.camera.Trigger = u.gate
	return u, nil
}

// now is the camera's config as it is now.
func (u *unit) now() *config.Camera { return u.conf.Load() }

// use notes which model runs from now on.
func (u *unit) use(l *loaded) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.loaded = l
	u.file, u.engine, u.why, u.labels = l.file, l.stage.Engine.Name(), l.why, l.stage.Labels
	u.conf.Store(l.cam)
	if u.source != nil {
		capture.SetEnough(u.source, enough(l.cam, l.stage, u.d.kept != nil))
	}
	u.file.Model = nil // the engine has its own
	u.usedSince, u.proven, u.resultsBefore = time.Now(), false, u.timing.count()
	attrs := []any{"model", l.file.Name, "sha256", l.file.SHA256[:12], "engine", u.engine, "certificate", string(l.file.Standing.Level)}
	if l.notNumbers != nil {
		attrs = append(attrs, "trial", "failed: so will its frames")
	}
	u.log.Info("model in use", attrs...)
	if text := Oversize(u.d.cfg, l.cam, u.file.Name, u.engine, u.labels); text != "" {
		u.log.Warn(text, "cure", "raise mqtt.max_payload")
	}
}

func (u *unit) abandon() {
	u.stopSpare()
	u.camera.Abandon()
}

// run opens the source and carries its frames. A source that has ended is no
// error.
func (u *unit) run(ctx context.Context) error {
	source, err := capture.Open(lineSource(u.cfg, capture.Config{
		Name: u.cfg.Name, Source: u.cfg.Source, Log: u.d.log, OnStatus: u.onStatus,
		EveryFrame: u.d.opts.Once, Once: u.d.opts.Once, Loop: u.d.opts.Loop,
		Bits: u.cfg.Bits, IgnoreEXIF: u.cfg.EXIF != nil && !*u.cfg.EXIF,
		Enough:    enough(u.inUse().cam, u.inUse().stage, u.d.kept != nil),
		Triggered: u.cfg.Triggered(), Idle: time.Duration(u.cfg.Idle), OnLoss: u.onLoss, Seen: u.seenFile(),
	}))
	if err != nil {
		u.abandon()
		return fmt.Errorf("camera %s: %w", u.cfg.Name, err)
	}
	if u.cfg.Line != nil {
		source = capture.NewStrips(source, u.cfg.Line.Strip, u.cfg.Line.How().Trigger)
	}
	defer source.Close()
	u.mu.Lock()
	u.files, _ = source.(capture.Filer)
	u.source = source
	u.mu.Unlock()
	u.camera.Source = source
	if !u.d.opts.Once && !capture.InOrder(source) && !capture.OnCommand(u.cfg.Source) {
		u.camera.Onlooker = onlooker{u}
	}
	u.startAudit(u.loaded)
	u.restartShadow()
	err = u.camera.Run(ctx)
	u.stopSpare()
	u.endTriggers(ctx)
	u.lossesOf.flush()
	if ctx.Err() != nil {
		return nil
	}
	return u.ended(ctx, err)
}

// ended says that the source has come to its end, or to a fault that it does not
// survive, and rests with it: an end of the daemon would be a restart by systemd,
// and everything published again.
func (u *unit) ended(ctx context.Context, err error) error {
	switch {
	case err == nil:
		u.log.Info("source has ended", "source", capture.Redact(u.cfg.Source))
		u.mu.Lock()
		u.status = capture.Status{Reason: sourceEnded}
		u.mu.Unlock()
		u.publishStatus()
	case !u.d.opts.Once:
		u.log.Error("the camera rests for good", "reason", err.Error())
		u.onStatus(capture.Status{Reason: capture.Redact(err.Error())})
	}
	if u.d.opts.Once {
		return err
	}
	<-ctx.Done()
	return nil
}

// seenFile is where a watched folder remembers what it has served.
func (u *unit) seenFile() string {
	if dir := u.d.cfg.StateDir(); dir != "" {
		return filepath.Join(dir, "seen", u.cfg.Name)
	}
	return ""
}

// endTriggers misses what still waits for a frame.
func (u *unit) endTriggers(ctx context.Context) {
	queue := u.gate.queueNow()
	if queue == nil {
		return
	}
	reason := pipeline.SourceEnded
	if ctx.Err() != nil {
		reason = pipeline.Stopping
	}
	for _, shot := range queue.End() {
		u.camera.MissTrigger(shot, reason)
	}
}

// onStatus notes whether the camera is there and why not, and publishes what is news.
func (u *unit) onStatus(s capture.Status) {
	u.mu.Lock()
	before := u.status
	u.status = s
	u.mu.Unlock()
	if s.Old {
		return
	}
	u.publishStatus()
	switch {
	case s.Online:
	case before.Online:
		u.event(mqtt.Event{Kind: mqtt.EventFault, Message: "camera offline: " + s.Reason})
	case before.Reason != "":
		u.event(mqtt.Event{Kind: mqtt.EventFault, Message: "camera still offline, by now for another reason: " + s.Reason})
	}
}

// statusWord is what the status topic says.
func (u *unit) statusWord() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case !u.camera.Enabled():
		return mqtt.Disabled
	case u.status.Online:
		return mqtt.Online
	}
	return mqtt.Offline
}

// whyOffline is why no picture comes at present; empty: they do, or it is being opened.
func (u *unit) whyOffline() string {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.status.Reason
}

func (u *unit) isOnline() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.status.Online
}

func (u *unit) publishStatus() {
	if u.d.client != nil {
		u.d.client.CameraStatus(u.cfg.Name, u.statusWord())
	}
}

// Publish is the pipeline's sink.
func (u *unit) Publish(r *pipeline.Result) {
	u.timing.add(r.Infer)
	ng := page.IsNG(r.Verdict)
	if ng {
		u.ngs.Add(1)
	}
	if u.d.client != nil {
		u.fill(r)
		if err := u.d.client.Publish(u.cfg.Name, &u.result, r.Mask); err != nil {
			u.log.Error("result not published", "err", err.Error())
		}
	}
	if r.Line != nil { // strips are shown, and kept, as what they end
		r = u.canvas.add(r)
	}
	if r.Frame.Pix == nil {
		return
	}
	if ng && u.d.kept != nil {
		u.keep(r)
	}
	u.show(r)
}

// fill turns the pipeline's result into the payload's.
func (u *unit) fill(r *pipeline.Result) {
	roi := r.Stage.Prepare.Seen()
	p := &u.result
	p.Seq, p.TS = r.Seq, mqtt.Time{Time: r.Frame.Time}
	p.Frame.W, p.Frame.H = r.Frame.Full()
	p.Reduced, p.Number = r.Frame.Reduced, r.Frame.Number
	p.ROI = mqtt.Rect{X: roi.X, Y: roi.Y, W: roi.W, H: roi.H}
	if p.File = ""; u.files != nil {
		p.File = u.files.File()
	}
	p.Fit = r.Stage.Prepare.Config().Fit.String()
	p.FrameAgeMS, p.InferMS = milliseconds(r.Age), milliseconds(r.Infer)
	p.Certificate = r.Stage.Certificate
	p.Model, p.Engine, p.Verdict, p.PartID = r.Stage.Model, r.Stage.Engine.Name(), r.Verdict, r.PartID
	p.Reasons = mqtt.Whys(p.Reasons, r.Reasons)
	p.Blobs, p.BlobsTotal = r.Blobs, nil
	if u.blobs = r.BlobsTotal; r.Blobs != nil {
		p.BlobsTotal = &u.blobs
	}
	p.Quality = r.Quality
	if p.Line = nil; r.Line != nil {
		u.line = mqtt.Line{Row: r.Line.Row, Rows: r.Line.Rows, Part: r.Line.Part, Begins: r.Line.Begins, Ends: r.Line.Ends, Cut: r.Line.Cut}
		p.Line = &u.line
	}
	p.Classes = p.Classes[:0]
	total := float64(r.Mask.W * r.Mask.H)
	for id, px := range r.Pixels {
		p.Classes = append(p.Classes, mqtt.Class{ID: id, Name: r.Stage.Labels[id], Px: px, Ratio: float64(px) / total})
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }

// missed publishes a trigger that led to no result.
func (u *unit) missed(shot pipeline.Shot, reason string) {
	u.log.Warn("trigger missed", "part_id", shot.PartID, "reason", reason)
	u.event(mqtt.Event{Kind: mqtt.EventMissedTrigger, Message: reason, PartID: shot.PartID})
}

// working marks what the camera's model is at.
func (u *unit) working(s *pipeline.Stage, on bool) {
	if on {
		u.slot.set(inferring, s.SHA256)
	} else {
		u.slot.set(idle, "")
	}
}

// markStuck marks a model that does not come back from a frame.
func (u *unit) markStuck() {
	if phase, since, _ := u.camera.Progress(); phase == pipeline.Inferring && time.Since(since) > stuckAfter {
		u.slot.stick()
	}
}

// faulted publishes that no verdict comes out of the model's outputs.
func (u *unit) faulted(err error) {
	u.event(mqtt.Event{Kind: mqtt.EventFault, Message: "no verdict comes out of the model's output: its frames fail: " + err.Error()})
}

func (u *unit) event(e mqtt.Event) {
	if u.d.client == nil {
		return
	}
	if err := u.d.client.Event(u.cfg.Name, e); err != nil {
		u.log.Error("event not published", "err", err.Error())
	}
}

// verdictChanged publishes a verdict that differs from the one before.
func (u *unit) verdictChanged(c stage.Change) {
	u.event(mqtt.Event{
		Kind: mqtt.EventVerdict, Message: fmt.Sprintf("verdict %s, before %s", c.Verdict, c.Previous),
		Verdict: c.Verdict, Previous: c.Previous, Reasons: mqtt.Whys(nil, c.Reasons), PartID: c.PartID,
		TS: mqtt.Time{Time: c.At},
	})
}

// unitModel is what info says of a camera's model.
type unitModel struct {
	mqtt.ModelInfo
	labels []string
}

func (u *unit) modelInfo() unitModel {
	u.mu.Lock()
	defer u.mu.Unlock()
	return unitModel{
		mqtt.ModelInfo{Camera: u.cfg.Name, Name: u.file.Name, SHA256: u.file.SHA256, Engine: u.engine, Why: u.why, Certificate: string(u.file.Standing.Level), Shadow: u.shadowLocked()},
		u.labels,
	}
}
