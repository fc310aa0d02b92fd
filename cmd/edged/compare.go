package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"edged"
	"edged/internal/pipeline"
	"edged/internal/stage"
)

type compareOptions struct {
	images  string
	engine  string
	engines []string
	threads int
	json    bool
}

func newCompareCmd() *cobra.Command {
	o := compareOptions{}
	cmd := &cobra.Command{
		Use:   "compare A [B] --images DIR",
		Short: "How far two models, or two engines, agree on pictures",
		Long: `compare runs two models, or one model on two engines, on the pictures of a
folder and tells how far they agree, class by class: on every position of the
masks, or on the class of a classifier. Both models need a manifest, and masks of
one size.`,
		Example: `  edged compare dense_f32.tflite dense_int8.tflite --images parts/
  edged compare dense.tflite --engines tflite,go --images parts/ --json`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (len(args) == 2) == (len(o.engines) > 0) || len(o.engines) > 0 && len(o.engines) != 2 {
				return exitf(exitUsage, "compare: name two models, or one and two engines with --engines A,B")
			}
			r, err := o.run(args)
			if err != nil {
				return refused(err)
			}
			if o.json {
				return writeJSON(cmd.OutOrStdout(), r)
			}
			return r.print(cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.images, "images", "", "`DIR` of PNG and JPEG pictures")
	engineFlag(f, &o.engine, "engine that both models run on")
	f.StringSliceVar(&o.engines, "engines", nil, "two engines that the one model runs on, for example tflite,go")
	f.Var((*threadCount)(&o.threads), "threads", "threads of the engine, 0 for its own choice")
	f.BoolVar(&o.json, "json", false, "print one JSON document")
	_ = cmd.MarkFlagRequired("images")
	return cmd
}

// compared is what compare prints.
type compared struct {
	A         string           `json:"a"` // the model and its engine
	B         string           `json:"b"`
	Pictures  int              `json:"pictures"`
	Positions int              `json:"positions"` // of masks; of a classifier, pictures
	Equal     int              `json:"equal"`     // positions of one class
	Share     float64          `json:"share"`     // of the positions
	MaxDiff   float64          `json:"max_diff"`  // of the outputs' numbers
	Classes   []classAgreement `json:"classes"`
	Worst     string           `json:"worst,omitempty"` // the picture with the most positions that differ
}

// classAgreement is how far both see one class.
type classAgreement struct {
	ID    int     `json:"id"`
	Name  string  `json:"name,omitempty"`
	A     int     `json:"a"` // positions where A sees it
	B     int     `json:"b"`
	Both  int     `json:"both"`
	Share float64 `json:"share"` // both, of those where either does; 1 where none does
}

// contestant is one model on one engine.
type contestant struct {
	engine       edged.Engine
	crop, resize vision
}

func newContestant(path, engine string, threads int) (*contestant, error) {
	file, err := stage.Read(path)
	if err != nil {
		return nil, err
	}
	if err := giveSize(file, nil); err != nil {
		return nil, err
	}
	data, own, output, err := viewFor(file, "")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	e, err := openEngine(engineCalled(engine), data, edged.Options{Threads: threads})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	v := vision{file: file, path: path, engine: e, own: own, output: output, fit: "crop"}
	c := &contestant{engine: e, crop: v, resize: v}
	c.resize.fit = "resize"
	return c, nil
}

// look runs a picture and gives its class ids and the numbers that they come from.
func (c *contestant) look(picture string) (ids []byte, values []float64, labels []string, err error) {
	v := &c.crop
	if err = v.feedPicture(picture); errors.Is(err, pipeline.ErrTooSmall) {
		v = &c.resize
		err = v.feedPicture(picture)
	}
	if err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", picture, err)
	}
	if err := c.engine.Run(); err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", picture, err)
	}
	if err := stage.CheckOutputs(c.engine); err != nil {
		return nil, nil, nil, fmt.Errorf("%s: %w", picture, err)
	}
	out, spec := c.engine.Output(v.stage.Output), c.engine.Outputs()[v.stage.Output]
	values = valuesOf(out, spec)
	if isVector(spec) {
		return []byte{byte(classOf(values, v.stage.Mask.Meaning(), v.facts.Output.Threshold).ID)}, values, v.stage.Labels, nil
	}
	m := v.stage.Mask.Make(out)
	for y := range m.H {
		ids = append(ids, m.Pix[y*m.Stride:y*m.Stride+m.W]...)
	}
	return ids, values, v.stage.Labels, nil
}

func (o *compareOptions) run(args []string) (*compared, error) {
	names, err := pictureNames(o.images)
	if err != nil {
		return nil, err
	}
	models, engines := []string{args[0], args[len(args)-1]}, []string{o.engine, o.engine}
	if len(o.engines) == 2 {
		engines = o.engines
	}
	var sides [2]*contestant
	for i := range sides {
		if sides[i], err = newContestant(models[i], engines[i], o.threads); err != nil {
			return nil, err
		}
		defer sides[i].engine.Close()
	}
	r := &compared{A: models[0] + " on " + sides[0].engine.Name(), B: models[1] + " on " + sides[1].engine.Name()}
	worst := 0
	for _, name := range names {
		different, err := r.add(sides, name)
		if err != nil {
			return nil, err
		}
		if different > worst {
			worst, r.Worst = different, filepath.Base(name)
		}
	}
	r.finish()
	return r, nil
}

// add compares one picture and says on how many positions the two differ.
func (r *compared) add(sides [2]*contestant, picture string) (int, error) {
	a, x, labels, err := sides[0].look(picture)
	if err != nil {
		return 0, err
	}
	b, y, others, err := sides[1].look(picture)
	if err != nil {
		return 0, err
	}
	if len(a) != len(b) {
		return 0, exitf(exitRefused, "masks of %d and %d positions: rewrite both models for one frame and one output stride", len(a), len(b))
	}
	if strings.Join(labels, "\n") != strings.Join(others, "\n") {
		return 0, exitf(exitRefused, "the models name other classes: %q and %q", labels, others)
	}
	if len(x) == len(y) {
		for i, v := range x {
			r.MaxDiff = max(r.MaxDiff, math.Abs(v-y[i]))
		}
	}
	r.Pictures++
	r.Positions += len(a)
	different := 0
	for i, id := range a {
		r.class(id, labels).A++
		r.class(b[i], labels).B++
		if id == b[i] {
			r.class(id, labels).Both++
			r.Equal++
		} else {
			different++
		}
	}
	return different, nil
}

func (r *compared) class(id byte, labels []string) *classAgreement {
	for len(r.Classes) <= max(int(id), len(labels)-1) {
		c := classAgreement{ID: len(r.Classes)}
		if c.ID < len(labels) {
			c.Name = labels[c.ID]
		}
		r.Classes = append(r.Classes, c)
	}
	return &r.Classes[id]
}

// finish makes shares of the counts.
func (r *compared) finish() {
	r.Share = float64(r.Equal) / float64(max(1, r.Positions))
	for i := range r.Classes {
		c := &r.Classes[i]
		if c.Share = 1; c.A+c.B > 0 {
			c.Share = float64(c.Both) / float64(c.A+c.B-c.Both)
		}
	}
}

func (r *compared) print(w io.Writer) error {
	fmt.Fprintf(w, "A  %s\nB  %s\n", r.A, r.B)
	fmt.Fprintf(w, "equal on %d of %d positions of %d pictures (%.4f %%), outputs differ by up to %.4g\n", r.Equal, r.Positions, r.Pictures, 100*r.Share, r.MaxDiff)
	if r.Worst != "" {
		fmt.Fprintf(w, "most differences in %s\n", r.Worst)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "class\tA sees\tB sees\tboth\tagreement\t")
	for _, c := range r.Classes {
		name := c.Name
		if name == "" {
			name = fmt.Sprint(c.ID)
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%.2f %%\t\n", name, c.A, c.B, c.Both, 100*c.Share)
	}
	return t.Flush()
}
