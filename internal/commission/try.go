package commission

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"edged"
	"edged/internal/config"
	"edged/internal/page"
	"edged/internal/pipeline"
	"edged/internal/stage"
)

// tryTime is how long rules may be tried at once.
const tryTime = 60 * time.Second

// trials are the pictures of the last try, and which engine each model runs on.
type trials struct {
	turn chan struct{} // one try at a time

	mu      sync.Mutex
	n       int            // pictures so far
	bodies  map[int][]byte // of the last ones
	engines map[string]string
}

const (
	// mostBodies bounds the pictures that may still be asked for.
	mostBodies = 3 * mostRecorded

	// turnTime is how long a try waits for the one before.
	turnTime = 10 * time.Second
)

// tried is what came of one picture.
type tried struct {
	N       int            `json:"n"` // of GET try/N
	Verdict string         `json:"verdict"`
	Reasons []edged.Reason `json:"reasons"`
	Pixels  []int          `json:"pixels"` // positions by class
	InferMS float64        `json:"infer_ms"`
	Refused string         `json:"refused,omitempty"` // why there is no result
}

// postTry says what a draft makes of the live picture, or of those recorded: each by
// itself, so without hold.
func (d *Desk) postTry(r *http.Request) (any, error) {
	var body struct {
		Draft  Draft  `json:"draft"`
		Frames string `json:"frames"`
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	frames, err := d.camera.frames(body.Frames)
	if err != nil {
		return nil, err
	}
	select {
	case d.trials.turn <- struct{}{}:
		defer func() { <-d.trials.turn }()
	case <-time.After(turnTime):
		return nil, faultf(http.StatusConflict, "rules are being tried already: a moment")
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	ctx, cancel := context.WithTimeout(r.Context(), tryTime)
	defer cancel()
	s, err := d.stageOf(ctx, &body.Draft)
	if err != nil {
		return nil, faultf(http.StatusUnprocessableEntity, "%w", err)
	}
	return d.look(ctx, s, frames)
}

// stageOf opens the draft's model with what the draft says of it.
func (d *Desk) stageOf(ctx context.Context, draft *Draft) (*pipeline.Stage, error) {
	var cam config.Camera
	draft.onto(&cam, d.dir)
	var err error
	if cam.Model, err = d.modelOf(draft.Model); err != nil {
		return nil, err
	}
	for i := range cam.Rules {
		cam.Rules[i].Hold = 0
	}
	if cam.Source == "" {
		cam.Source = "test:belt" // it is not opened here
	}
	if cam.Name == "" {
		cam.Name = "cam1"
	}
	c := config.Default()
	c.Cameras = []config.Camera{cam}
	if err := c.Check("the draft", d.cfg.Engines); err != nil {
		return nil, err
	}
	file, err := stage.Read(cam.Model)
	if err != nil {
		return nil, err
	}
	if cam.Engine, err = d.engineFor(ctx, file); err != nil {
		return nil, err
	}
	s, err := stage.Open(file, &cam, d.cfg.Open, edged.Options{})
	if err != nil {
		return nil, err
	}
	if s.Judge, err = stage.NewRuler(&cam, s.Labels, nil, func(stage.Change) {}, func(string) {}); err != nil {
		s.Engine.Close()
		return nil, err
	}
	return s, nil
}

// engineFor has a child try a model once.
func (d *Desk) engineFor(ctx context.Context, file *stage.File) (string, error) {
	t := &d.trials
	t.mu.Lock()
	engine := t.engines[file.SHA256]
	t.mu.Unlock()
	if engine != "" {
		return engine, nil
	}
	engine, err := d.cfg.Choose(ctx, file.Data, config.Auto)
	if err != nil {
		return "", err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.engines) > mostModels {
		clear(t.engines)
	}
	t.engines[file.SHA256] = engine
	return engine, nil
}

// look runs pictures through a stage, which it closes.
func (d *Desk) look(ctx context.Context, s *pipeline.Stage, frames []*edged.Frame) (any, error) {
	v := &viewer{first: d.trials.n, all: []tried{}} // whoever has the turn counts
	camera := pipeline.NewCamera("commission", &played{frames: frames}, s)
	camera.Log, camera.Sink = slog.New(slog.DiscardHandler), v
	camera.Refused = func(r *pipeline.Refused) { v.add(tried{Refused: r.Err.Error()}, nil) }
	labels, model, engine := s.Labels, filepath.Base(s.Model), s.Engine.Name()
	if err := camera.Run(ctx); err != nil {
		return nil, faultf(http.StatusUnprocessableEntity, "%w", err)
	}
	t := &d.trials
	t.mu.Lock()
	for i, body := range v.bodies {
		t.bodies[t.n+i] = body
		delete(t.bodies, t.n+i-mostBodies)
	}
	t.n += len(v.all)
	t.mu.Unlock()
	return map[string]any{"results": v.all, "labels": labels, "model": model, "engine": engine}, nil
}

// played is a source of pictures that are there.
type played struct {
	frames []*edged.Frame
	next   int
}

// Next implements pipeline.Source.
func (p *played) Next(ctx context.Context, f *edged.Frame) error {
	if p.next == len(p.frames) {
		return io.EOF
	}
	*f = *p.frames[p.next]
	p.next++
	f.Seq, f.Time = uint64(p.next), time.Now()
	return ctx.Err()
}

// viewer is the sink that keeps what the page shows.
type viewer struct {
	first  int
	all    []tried
	bodies [][]byte
}

func (v *viewer) add(t tried, body []byte) {
	t.N = v.first + len(v.all)
	if t.Reasons == nil {
		t.Reasons = []edged.Reason{}
	}
	v.all, v.bodies = append(v.all, t), append(v.bodies, body)
}

// Publish implements pipeline.Sink.
func (v *viewer) Publish(r *pipeline.Result) {
	shot := page.Shot{Seq: r.Seq, Time: r.Frame.Time, Model: r.Stage.Model, Labels: r.Stage.Labels, Pixels: r.Pixels, Verdict: r.Verdict, Reasons: r.Reasons}
	shot.InferMS = float64(r.Infer.Microseconds()) / 1e3
	v.add(tried{Verdict: r.Verdict, Reasons: append([]edged.Reason{}, r.Reasons...), Pixels: append([]int{}, r.Pixels...), InferMS: shot.InferMS},
		page.Body("commission", r.Frame, r.Mask, &shot, ""))
}

// getTry is a picture of the last try, with its mask.
func (d *Desk) getTry(r *http.Request) (any, error) {
	n, err := strconv.Atoi(r.PathValue("n"))
	t := &d.trials
	t.mu.Lock()
	defer t.mu.Unlock()
	if body := t.bodies[n]; err == nil && body != nil {
		return raw(body), nil
	}
	return nil, faultf(http.StatusNotFound, "that picture is gone: try again")
}
