package daemon

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"edged"
	"edged/internal/atomicfile"
	"edged/internal/audit"
	"edged/internal/metrics"
	"edged/internal/pipeline"
	"edged/internal/stage"
	"edged/mqtt"
)

// reasonAudit is the kind of the reason for a verdict that an audit made unsure.
const reasonAudit = "audit"

// layAudit prepares the audit of a model's answers; nothing runs yet.
func (u *unit) layAudit(l *loaded, samples []stage.Sample) {
	if u.d.share == nil || l.notNumbers != nil || l.cam.Line != nil { // a strip's answer is of rows before it too
		return
	}
	e := l.stage.Engine
	c := audit.Config{
		Dense: l.file.Data, Name: e.Name(), Prepare: l.stage.Prepare.Config(),
		Running: audit.Running{Input: e.Inputs()[0], Outputs: e.Outputs()[:len(e.Outputs())-len(l.stage.Watch)], Output: l.stage.Output, Limit: l.stage.Mask.Limit()},
		Try: func(ctx context.Context, engine string, base []byte) error {
			return u.d.opts.Engines.Canary(ctx, base, engine, 1)
		},
		Share: u.d.share, Idle: u.isIdle, Log: u.log.With("model", l.file.Name), Account: &u.audits,
		Differs: u.differs,
		Doubted: func(ctx context.Context, f audit.Finding) { u.doubtModel(ctx, l, f) },
	}
	for _, s := range samples {
		c.Samples = append(c.Samples, audit.Answer(s))
	}
	c.Mark = u.auditMark(l.file.SHA256)
	for _, engine := range u.auditEngines(l) {
		c.Engines = append(c.Engines, audit.Engine{Name: engine, Open: func(m []byte, o edged.Options) (edged.Engine, error) {
			o.MemoryLimit = int64(u.d.cfg.Node.MemoryLimit)
			return u.d.opts.Engines.Open(engine, m, o)
		}})
	}
	l.audit = audit.New(c)
	l.stage.Witness = l.audit.Witness()
}

// enginesFrom are those of the program, the one named first.
func (u *unit) enginesFrom(first string) []string {
	list := []string{first}
	for _, e := range u.d.opts.Engines.Auto {
		if e != first {
			list = append(list, e)
		}
	}
	return list
}

// startAudit begins the audit of the model in use, in place of the one before.
func (u *unit) startAudit(l *loaded) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.endAudit != nil {
		u.endAudit()
		u.endAudit = nil
	}
	switch {
	case u.d.share == nil:
		u.audits.TurnOff("audit.share is 0")
		return
	case l.cam.Line != nil:
		u.audits.TurnOff("strips of a line camera are not looked at: what is said of a row is of rows before it too")
		return
	case l.audit == nil:
		u.audits.TurnOff("what the model says is not a number")
		return
	case u.life.Err() != nil:
		return
	}
	u.audits.On()
	ctx, cancel := context.WithCancel(u.life)
	u.endAudit = cancel
	u.spare.Go(func() { l.audit.Run(ctx) })
}

// stopSpare ends what runs in spare time, for good.
func (u *unit) stopSpare() {
	u.mu.Lock()
	u.endSpare() // nothing begins from here on
	u.mu.Unlock()
	if !within(sideTime, u.spare.Wait) {
		u.log.Warn("the end does not wait for an audit or a shadow")
	}
}

// isIdle tells whether the camera's loop waits for a frame.
func (u *unit) isIdle() bool {
	phase, _, _ := u.camera.Progress()
	return phase == pipeline.Waiting
}

// doubted tells whether the model in use is in doubt.
func (u *unit) doubted() bool {
	return u.inUse().stage.Doubted()
}

// differs tells of an answer that is not what the baseline says.
func (u *unit) differs(f audit.Finding) {
	text := fmt.Sprintf("audit: result %d differs from the baseline by %.3g at row %d, column %d of the mask (%s against %s; %.3g is rounding)",
		f.Seq, f.Difference, f.Row, f.Col, f.Engines[0], f.Engines[1], f.Margin)
	u.log.Error("an answer is not what the model says", "seq", f.Seq, "difference", f.Difference, "margin", f.Margin, "engines", strings.Join(f.Engines[:], "/"))
	u.event(mqtt.Event{Kind: mqtt.EventAudit, Message: text, PartID: f.PartID, Evidence: u.evidence(f)})
}

// doubtModel makes the camera's verdicts unsure, tells why, and has another
// engine take over where one agrees with the baseline.
func (u *unit) doubtModel(ctx context.Context, l *loaded, f audit.Finding) {
	why := fmt.Sprintf("audit: the answers differ from the baseline's, again and again: by %.3g in result %d (%s against %s; %.3g is rounding)",
		f.Difference, f.Seq, f.Engines[0], f.Engines[1], f.Margin)
	reason := edged.Reason{Kind: reasonAudit, Limit: f.Margin, Text: why}
	l.stage.Doubt(reason)
	u.log.Error("verdicts are unsure: the model's answers are not what it says", "difference", f.Difference, "margin", f.Margin, "engines", strings.Join(f.Engines[:], "/"))
	u.event(mqtt.Event{
		Kind: mqtt.EventAudit, Message: why + "; verdicts are unsure from here on", Verdict: mqtt.Unsure, PartID: f.PartID,
		Reasons: mqtt.Whys(nil, []edged.Reason{reason}), Evidence: u.evidence(f),
	})
	if err := u.takeOver(ctx, l); err != nil && ctx.Err() == nil {
		u.log.Error("no other engine takes over", "reason", err.Error())
		u.event(mqtt.Event{Kind: mqtt.EventAudit, Message: "no other engine takes over: " + err.Error() + "; reload loads the model anew", Verdict: mqtt.Unsure})
	}
}

// takeOver adopts the same model on the first other engine whose answer to the
// frame in doubt is the baseline's.
func (u *unit) takeOver(ctx context.Context, l *loaded) error {
	u.reloading.Lock()
	defer u.reloading.Unlock()
	if err := ctx.Err(); err != nil {
		return err // another model is in use by now
	}
	file, err := u.readModel(u.now())
	if err != nil {
		return err
	}
	if file.SHA256 != l.file.SHA256 {
		return fmt.Errorf("%s is another model by now", u.now().Model)
	}
	if err := file.Admit(u.d.cfg.Trust()); err != nil {
		return err
	}
	var reasons []string
	u.distrust(file, l.asked)
	wrong := u.wrongOn(file, u.now())
	for _, engine := range u.enginesFrom(l.asked)[1:] {
		if slices.Contains(wrong, engine) {
			reasons = append(reasons, "engine "+engine+": its answers differed before")
			continue
		}
		next, err := u.agreeing(ctx, l, file, engine)
		if err != nil {
			if reasons = append(reasons, err.Error()); errors.Is(err, audit.ErrDiffers) {
				u.distrust(file, engine)
			}
			continue
		}
		u.remember(func(m *memory) error { return m.chose(u.cfg.Name, file.SHA256, u.d.opts.Version, engine) })
		u.use(next)
		u.camera.Adopt(next.stage)
		u.startAudit(next)
		u.d.publishInfo()
		u.event(mqtt.Event{
			Kind: mqtt.EventAudit, Message: fmt.Sprintf("engine %s takes over from %s: it agrees with the baseline", engine, l.asked),
			Changes: []mqtt.Change{{Key: "engine", Previous: l.asked, Value: engine}}, Source: "daemon",
		})
		return nil
	}
	if len(reasons) == 0 {
		return fmt.Errorf("%s is the only engine here", l.asked)
	}
	return fmt.Errorf("%s", strings.Join(reasons, "; "))
}

// agreeing loads the model on another engine and asks it about the frame in
// doubt.
func (u *unit) agreeing(ctx context.Context, l *loaded, file *stage.File, engine string) (*loaded, error) {
	if err := u.d.opts.Engines.Canary(ctx, file.Data, engine, u.now().Threads); err != nil {
		return nil, err
	}
	next, err := u.load(file, u.now(), Choice{Engine: engine, Why: "took over from " + l.asked + ", whose answers differed from the baseline's"})
	if err != nil {
		return nil, err
	}
	err = next.notNumbers
	if err == nil {
		copy(next.stage.Engine.Input(0), l.audit.Input())
		err = next.stage.Engine.Run()
	}
	if err == nil {
		err = l.audit.Agrees(engine, next.stage.Engine.Output(next.stage.Output))
	}
	if err != nil {
		next.stage.Engine.Close()
		return nil, err
	}
	return next, nil
}

const (
	// evidenceRoom is what an event needs beside its picture.
	evidenceRoom = 4096

	// evidenceFiles bounds what is kept where pictures do not fit.
	evidenceFiles = 16
)

// evidence is a finding with its picture: in the event where it fits, else in
// one of a few files of the state folder.
func (u *unit) evidence(f audit.Finding) *mqtt.Evidence {
	e := &mqtt.Evidence{Row: f.Row, Col: f.Col, Engines: f.Engines[:], Difference: f.Difference, Margin: f.Margin}
	data, err := encodePNG(f.Picture)
	if err != nil {
		u.log.Error("evidence not kept", "err", err.Error())
		return e
	}
	if len(data)*4/3+evidenceRoom < u.payloadLimit() {
		e.PNG = data
		return e
	}
	dir := u.d.cfg.StateDir()
	if dir == "" {
		return e
	}
	name := filepath.Join(dir, fmt.Sprintf("audit-%s-%02d.png", u.cfg.Name, f.Seq%evidenceFiles))
	if err = os.MkdirAll(dir, 0o700); err == nil {
		err = atomicfile.WritePrivate(name, data)
	}
	if err != nil {
		u.log.Error("evidence not kept", "err", err.Error())
		return e
	}
	e.File = name
	return e
}

// payloadLimit is how large an event may be: what the config says or, where the
// broker takes less, what it was seen to take.
func (u *unit) payloadLimit() int {
	if u.d.client == nil {
		return int(u.d.cfg.MQTT.MaxPayload)
	}
	link, _ := u.d.client.Link()
	return link.PayloadLimit
}

func encodePNG(img *image.NRGBA) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}

// auditStats is the audit's part of the stats topic.
func (u *unit) auditStats() *mqtt.AuditStats {
	c := u.audits.Counts()
	return &mqtt.AuditStats{
		Share: u.d.cfg.Audit.Share, Frames: c.Frames, Positions: c.Positions, Differing: c.Differing,
		MaxDiff: c.Largest, Engines: c.Engines, Off: c.Off,
	}
}

// auditMetrics is its part of /metrics.
func (u *unit) auditMetrics() metrics.Audit {
	c := u.audits.Counts()
	return metrics.Audit{On: c.Off == "", Frames: c.Frames, Positions: c.Engines, Differing: c.Differing, Largest: c.Largest}
}

// auditText is what the page says of it.
func (u *unit) auditText() string {
	c := u.audits.Counts()
	switch {
	case c.Off != "":
		return "none: " + c.Off
	case c.Positions == 0:
		return "begins"
	}
	return fmt.Sprintf("%d positions of %d frames, %d differ", c.Positions, c.Frames, c.Differing)
}
