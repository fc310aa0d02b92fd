package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"os"
	"time"

	"edged/internal/evidence"
	"edged/internal/metrics"
	"edged/internal/page"
	"edged/internal/pipeline"
	"edged/mqtt"
)

// startEvidence begins to keep NGs where the config names a folder.
func (d *Daemon) startEvidence() {
	if d.cfg.Evidence.Dir == "" {
		return
	}
	d.kept = evidence.Open(d.cfg.Evidence.Store(d.opts.Once, d.log))
	d.log.Info("NGs are kept", "dir", d.cfg.Evidence.Dir, "max_count", d.cfg.Evidence.MaxCount, "max_bytes", int64(d.cfg.Evidence.MaxBytes))
}

// endEvidence keeps what waits, unless the disk hangs.
func (d *Daemon) endEvidence(e ending) {
	limit := e.grant(time.Second)
	if d.opts.Once {
		limit = drainTimeOnce
	}
	if d.kept != nil && !d.kept.Close(limit) {
		d.log.Warn("the end does not wait for the evidence's disk")
	}
}

// keep offers an NG to what keeps them.
func (u *unit) keep(r *pipeline.Result) {
	u.d.kept.Offer(u.cfg.Name, r.Frame, r.Mask, evidence.Result{Seq: r.Seq, Time: r.Frame.Time, Body: func() ([]byte, error) {
		u.fill(r)
		p := &u.result
		p.Schema, p.LeftOut = mqtt.Schema, nil
		if p.Line != nil { // which rows the picture shows, that blobs can be found on it
			p.Line.Row, p.Line.Rows = u.canvas.top, r.Frame.H
		}
		p.Mask = &mqtt.MaskRef{Encoding: mqtt.EncodingPNG, W: r.Mask.W, H: r.Mask.H, Stride: r.Mask.Grid.Stride, Origin: r.Mask.Grid.Origin}
		return json.Marshal(struct {
			Node   string `json:"node"`
			Camera string `json:"camera"`
			*mqtt.Result
		}{u.d.cfg.Node.Name, u.cfg.Name, p})
	}})
}

// tendEvidence tells once when NGs cannot be kept, and once when they can again.
func (d *Daemon) tendEvidence() {
	const what = "evidence"
	if d.kept == nil {
		return
	}
	fault := d.kept.Fault()
	if d.troubles[what] == (fault != nil) {
		return
	}
	text := "NGs are kept as evidence again"
	if d.troubles[what] = fault != nil; fault != nil {
		text = "NGs are not kept as evidence, results go on: " + fault.Error()
		d.log.Warn(text, "cure", "make room in evidence.dir, or let the daemon's user write there")
	} else {
		d.log.Info(text)
	}
	d.everywhere(mqtt.Event{Kind: mqtt.EventFault, Message: text})
}

// evidenceStats is evidence's part of the stats topic.
func (d *Daemon) evidenceStats() *mqtt.EvidenceStats {
	if d.kept == nil {
		return nil
	}
	a := d.kept.Account()
	return &mqtt.EvidenceStats{Count: a.Count, Bytes: a.Bytes, Kept: a.Kept, Dropped: a.Dropped, Fault: textOf(a.Fault)}
}

// evidenceMetrics is its part of /metrics.
func (d *Daemon) evidenceMetrics() *metrics.Evidence {
	if d.kept == nil {
		return nil
	}
	a := d.kept.Account()
	return &metrics.Evidence{Count: a.Count, Bytes: a.Bytes, Kept: a.Kept, Dropped: a.Dropped, OK: a.Fault == nil}
}

// evidencePage is what the page says of it.
func (d *Daemon) evidencePage() *page.Evidence {
	if d.kept == nil {
		return nil
	}
	a := d.kept.Account()
	e := &page.Evidence{Count: a.Count, Bytes: a.Bytes, Fault: textOf(a.Fault)}
	for _, n := range a.Dropped {
		e.Dropped += n
	}
	return e
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// evidenceAsked is the body of request/evidence.
type evidenceAsked struct {
	Camera string `json:"camera"`
	ID     string `json:"id"`
	Before string `json:"before"`
	Limit  int    `json:"limit"`
}

// onEvidence lists what is kept, or answers with one piece of it.
func (d *Daemon) onEvidence(_ context.Context, r mqtt.Request) (any, error) {
	var body evidenceAsked
	if err := decodeBody(r, &body); err != nil {
		return nil, err
	}
	if d.kept == nil {
		return nil, errors.New("no evidence is kept: set evidence.dir in the config")
	}
	if body.ID != "" {
		if body.Camera == "" && len(d.units) == 1 {
			body.Camera = d.units[0].cfg.Name
		}
		return d.evidenceOf(body.Camera, body.ID)
	}
	list, more := d.kept.List(evidence.Query{Camera: body.Camera, Before: body.Before, Limit: body.Limit})
	for len(list) > 1 { // what fits the message
		if b, err := json.Marshal(list); err == nil && len(b)+1024 <= d.payloadLimit() {
			break
		}
		list, more = list[:len(list)*2/3], true
	}
	return map[string]any{"evidence": list, "more": more}, nil
}

// evidenceOf is one piece of evidence as an answer over MQTT: its picture as a JPEG
// that fits the message.
func (d *Daemon) evidenceOf(camera, id string) (any, error) {
	path, err := d.kept.Path(camera, id)
	if err != nil {
		return nil, err
	}
	texts, err := evidence.ReadTexts(path)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("evidence %s: %w", id, err)
	}
	answer := map[string]any{"camera": camera, "id": id, "result": json.RawMessage(texts.Result)}
	left := d.payloadLimit() - 2048 - len(texts.Result)
	if mask := len(texts.Mask) * 4 / 3; mask < left/2 {
		answer["mask"] = texts.Mask
		left -= mask
	} else {
		answer["left_out"] = []string{"mask"}
	}
	jpeg, err := page.FitJPEG(img, left*3/4)
	if err != nil {
		return nil, fmt.Errorf("evidence %s: %w; fetch it over HTTP, or raise mqtt.max_payload", id, err)
	}
	answer["jpeg"] = jpeg
	return answer, nil
}
