// Command train makes the bundled nets: it renders belts, trains on them with
// PyTorch, quantises, writes .tflite files, and judges those on belts that nobody
// trained on. One run does it all:
//
//	go run -tags tflite ./train
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"edged/internal/child"
	"edged/train/data"
)

type options struct {
	out    string // where the .tflite files and the card go
	work   string // crops and weights in between; empty: a temporary folder
	python string
	keep   bool // skip training, use the weights that lie in work
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var o options
	fs := flag.NewFlagSet("train", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.StringVar(&o.out, "out", "train/nets", "folder for the nets, their parity data and the card")
	fs.StringVar(&o.work, "work", "", "folder for crops and weights in between (default: temporary)")
	fs.StringVar(&o.python, "python", "/usr/bin/python3", "an interpreter that has torch and numpy (Debian: python3-torch)")
	fs.BoolVar(&o.keep, "keep", false, "do not train: export and judge the weights that are in -work")
	if err := fs.Parse(args); err != nil {
		return 2
	}
	if err := train(ctx, o, stdout); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// netNames are the nets that train.py makes.
var netNames = []string{"valid", "same"}

func train(ctx context.Context, o options, log io.Writer) error {
	if o.work == "" {
		if o.keep {
			return fmt.Errorf("train: -keep needs -work, the folder where the weights are")
		}
		dir, err := os.MkdirTemp("", "edged-train-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.work = dir
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	start := time.Now()
	if !o.keep {
		if err := learn(ctx, o, log, trainPlan, testPlan); err != nil {
			return err
		}
	}
	reports, err := exportAll(o, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(log, "done in %s\n", time.Since(start).Round(time.Second))
	return os.WriteFile(filepath.Join(o.out, "CARD.md"), card(reports), 0o644)
}

// learn renders the crops and runs train.py on them.
func learn(ctx context.Context, o options, log io.Writer, trainOn, testOn data.Plan) error {
	for _, set := range []struct {
		file string
		plan data.Plan
	}{{"train.bin", trainOn}, {"test.bin", testOn}} {
		n, err := writeCrops(filepath.Join(o.work, set.file), set.plan)
		if err != nil {
			return err
		}
		fmt.Fprintf(log, "%s: %d crops of %d pixels\n", set.file, n, set.plan.Side)
	}
	python, err := child.Find(o.python)
	if err == nil {
		_, err = child.Run(ctx, child.Command{Path: python, Args: []string{o.python, "-u", "train/train.py", o.work, o.work}, Stdout: log, Stderr: log})
	}
	if err != nil {
		return fmt.Errorf("train: %s train/train.py: %w (run it at the top of the repository; it needs torch and numpy: apt-get install python3-torch)", o.python, err)
	}
	return nil
}
