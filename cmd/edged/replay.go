package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"edged"
	"edged/capture"
	"edged/internal/config"
	"edged/internal/daemon"
	"edged/internal/pipeline"
	"edged/internal/stage"
)

// replayOptions are the flags of replay.
type replayOptions struct {
	config string
	camera string
	set    []string
	sweep  string
	json   bool
}

func newReplayCmd() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay SOURCE -c FILE",
		Short: "Tell what a config's rules say of recorded pictures",
		Long: `replay runs every picture of a clip or a folder through a camera of the config,
as the daemon would, without a broker and without a page, and tells the verdicts:
how often each came, and for each rule how often it was in effect. Zones that were
set while the daemon ran hold, as its state folder has them.
SOURCE may be the folder that evidence is kept in: then each picture is judged by
itself, without the rules' hold, and compared with the verdict kept with it.

--set changes a key first: rule.KEY of each rule, rule[2].KEY of the second, or a
key of the camera such as model. --sweep tries a key of the rules with many
values; the model runs once for all of them.`,
		Example: `  edged replay evidence/ -c edged.toml
  edged replay clip.avi -c edged.toml --set rule[1].min_area_px=20
  edged replay clip.avi -c edged.toml --sweep rule.min_area_px=5..50
  edged replay clip.avi -c edged.toml --json | jq .results`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			r, err := replay(ctx, args[0], &o, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if o.json {
				return writeJSON(cmd.OutOrStdout(), r)
			}
			return r.print(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.config, "config", "c", "", "the configuration `FILE`")
	f.StringVar(&o.camera, "camera", "", "`NAME` of the camera whose model and rules are used (default: the only one)")
	f.StringArrayVar(&o.set, "set", nil, "`KEY=VALUE` in place of what the config says; repeats")
	f.StringVar(&o.sweep, "sweep", "", "`KEY=A..B` or KEY=A..B:STEP: a key of the rules with each of these values")
	f.BoolVar(&o.json, "json", false, "print one JSON document, with the verdict of each picture")
	_ = cmd.MarkFlagRequired("config")
	return cmd
}

// variant is a camera's rules as one of the values has them, and what they said.
type variant struct {
	value  string
	judge  pipeline.Judge
	report *replayReport
}

// replay runs SOURCE to its end.
func replay(ctx context.Context, source string, o *replayOptions, stderr io.Writer) (*replayReport, error) {
	c, err := config.Load(o.config, configEngines)
	if err != nil {
		return nil, err
	}
	cam, err := replayCamera(c, o)
	if err != nil {
		return nil, err
	}
	if zones, err := daemon.ZonesSet(c, cam); err != nil {
		fmt.Fprintf(stderr, "edged: %v: the config's hold\n", err)
	} else if zones != nil {
		fmt.Fprintf(stderr, "edged: zones that were set while the daemon ran hold, not the config's\n")
		cam.Zones = zones
	}
	source = evidenceFolder(source, cam.Name)
	evidence := isEvidence(source)
	if evidence && cam.Line != nil {
		return nil, exitf(exitUsage, "replay: %s is evidence of a line camera: a picture of its latest rows for each part, not the part: replay a folder of its strips", source)
	}
	if evidence && !setsHold(o.set) {
		withoutHold(cam)
	}
	cams := []*config.Camera{cam}
	var tried sweep
	if o.sweep != "" {
		if tried, err = parseSweep(o.sweep); err != nil {
			return nil, err
		}
		for _, value := range tried.values {
			one := *cam
			if err := setKey(&one, tried.key, value); err != nil {
				return nil, fmt.Errorf("--sweep: %w", err)
			}
			cams = append(cams, &one)
		}
	}
	s, err := replayStage(ctx, c, cams)
	if err != nil {
		return nil, err
	}
	variants := make([]*variant, len(cams))
	for i, one := range cams {
		if variants[i], err = newVariant(one, s.Labels); err != nil {
			s.Engine.Close()
			return nil, err
		}
	}
	for i, value := range tried.values {
		variants[i+1].value = value
	}
	variants[0].report.Evidence = evidence
	return runReplay(ctx, source, s, variants, tried.key)
}

// replayCamera is the camera that the options ask for, checked anew where they
// change it.
func replayCamera(c *config.Config, o *replayOptions) (*config.Camera, error) {
	i := slices.IndexFunc(c.Cameras, func(cam config.Camera) bool { return cam.Name == o.camera })
	if o.camera == "" && len(c.Cameras) == 1 {
		i = 0
	}
	if i < 0 {
		return nil, exitf(exitUsage, "--camera %q: name one of %q", o.camera, c.Names())
	}
	if err := setAll(&c.Cameras[i], o.set); err != nil {
		return nil, err
	}
	if err := c.Check(o.config, configEngines); err != nil {
		return nil, &exitError{exitUsage, fmt.Errorf("--set: %w", err)} // the file by itself was right
	}
	return &c.Cameras[i], nil
}

// replayStage opens the model of the first camera, so that it serves the rules of
// all of them.
func replayStage(ctx context.Context, c *config.Config, cams []*config.Camera) (*pipeline.Stage, error) {
	use := *cams[0]
	for _, cam := range cams[1:] {
		use.Rules = append(slices.Clip(use.Rules), cam.Rules...) // one may ask for scores
	}
	file, err := stage.Read(use.Model)
	if err != nil {
		return nil, err
	}
	if err := file.Admit(c.Trust()); err != nil {
		return nil, err
	}
	tried := engines
	tried.Limit = func() int64 { return int64(c.Node.MemoryLimit) }
	choice, err := tried.Try(ctx, file.Data, use.Engine, use.Threads, "")
	if err != nil {
		return nil, err
	}
	use.Engine = choice.Engine
	return stage.Open(file, &use, openEngine, edged.Options{MemoryLimit: int64(c.Node.MemoryLimit)})
}

func newVariant(cam *config.Camera, labels []string) (*variant, error) {
	v := &variant{report: newReplayReport(cam)}
	rules, err := stage.NewRuler(cam, labels, nil, func(stage.Change) { v.report.Changes++ }, nil)
	if err != nil {
		return nil, err
	}
	v.judge = stage.NewGauge(cam, rules, stage.PictureWatch{Outside: func([]edged.Reason) {}, Changed: func(stage.PictureChange) {}})
	return v, nil
}

// Judge implements pipeline.Judge: every variant rules, the first one's word counts.
type variants []*variant

func (all variants) Judge(r *pipeline.Result) {
	for i := len(all) - 1; i >= 0; i-- {
		v := all[i]
		r.Verdict, r.Reasons, r.Blobs, r.BlobsTotal = "", r.Reasons[:0], nil, 0
		if v.judge != nil {
			v.judge.Judge(r)
		}
		v.report.add(r, i == 0)
	}
}

// Rows implements pipeline.PartJudge.
func (all variants) Rows(r *pipeline.Result) {
	for i := len(all) - 1; i >= 0; i-- {
		if j, ok := all[i].judge.(pipeline.PartJudge); ok {
			j.Rows(r)
		}
	}
}

// Part implements pipeline.PartJudge.
func (all variants) Part(r *pipeline.Result) {
	for i := len(all) - 1; i >= 0; i-- {
		r.Verdict, r.Reasons, r.Blobs, r.BlobsTotal = "", r.Reasons[:0], nil, 0
		if j, ok := all[i].judge.(pipeline.PartJudge); ok {
			j.Part(r)
		}
		all[i].report.add(r, i == 0)
	}
}

// Torn implements pipeline.PartJudge: no variant can say more of such a part.
func (all variants) Torn(r *pipeline.Result) {
	for i := len(all) - 1; i >= 0; i-- {
		if j, ok := all[i].judge.(pipeline.PartJudge); ok {
			j.Torn(r)
		}
		all[i].report.add(r, i == 0)
	}
}

func runReplay(ctx context.Context, source string, s *pipeline.Stage, all variants, key string) (*replayReport, error) {
	s.Judge = all
	report := all[0].report
	camera := pipeline.NewCamera("replay", nil, s)
	src, err := capture.Open(capture.Config{Name: "replay", Source: source, Once: true, EveryFrame: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		camera.Abandon()
		return nil, fmt.Errorf("replay: %w", err)
	}
	defer src.Close()
	if filer, ok := src.(capture.Filer); ok && report.Evidence {
		report.said = func() string { return saidThen(filepath.Join(source, filer.File())) }
	}
	report.Source, report.Model, report.Engine = capture.Redact(source), s.Model, s.Engine.Name()
	if s.Line != nil { // a verdict a part
		src = capture.NewStrips(src, s.Line.Rows.In().Shape[1], s.Line.Trigger)
	}
	camera.Source, camera.Log = src, slog.New(slog.DiscardHandler)
	camera.Sink = discard{}
	camera.Refused = func(r *pipeline.Refused) {
		report.Refused++
		report.Why = r.Err.Error()
	}
	if err := camera.Run(ctx); err != nil {
		return nil, fmt.Errorf("replay: %s: %w", report.Source, err)
	}
	if report.Frames+report.Refused == 0 {
		return nil, fmt.Errorf("replay: %s holds no picture", report.Source)
	}
	for _, v := range all[1:] {
		report.Sweep = append(report.Sweep, swept{Key: key, Value: v.value, Verdicts: v.report.Verdicts, Changes: v.report.Changes, Rules: v.report.Rules})
	}
	return report, nil
}

// discard takes results that the judge has seen already.
type discard struct{}

func (discard) Publish(*pipeline.Result) {}
