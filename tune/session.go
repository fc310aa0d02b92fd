package tune

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"edged"
	"edged/internal/child"
	"edged/model"
)

//go:embed tune.py
var script []byte

// Exit codes of the script.
const (
	exitNoTorch  = 90
	exitDiverged = 91
	exitTold     = 92 // its last line says all
	exitNoMemory = 93
)

// job is what the script reads as job.json.
type job struct {
	*graph
	Frame     [3]int    `json:"frame"`
	Frames    int       `json:"frames"`
	LearnFrom []int     `json:"learn_from"`
	KeptBack  []int     `json:"kept_back"`
	Crop      [2]int    `json:"crop"`
	Probe     [4]int    `json:"probe"`
	Grid      grid      `json:"grid"`
	Mean      []float64 `json:"mean"`
	Scale     []float64 `json:"scale"`
	Classes   int       `json:"classes"`
	Meaning   string    `json:"meaning"`
	Threshold float64   `json:"threshold"`
	Augment   []string  `json:"augment"`
	Weighted  bool      `json:"weighted"`
	Random    bool      `json:"random"`
	Seed      int       `json:"seed"`
	Steps     int       `json:"steps"`
	Batch     int       `json:"batch"`
	Rate      float64   `json:"rate"`
	Patience  int       `json:"patience"`
	Epochs    int       `json:"epochs"`
	Threads   int       `json:"threads"`
}

// session is one run of the script.
type session struct {
	o      Options
	net    *net
	small  *learning
	data   *data
	frames []Frame
	r      *Result

	folder string
	want   []float32 // the engine's answer to the probe
	fault  error     // found while listening
}

func (s *session) run(ctx context.Context) error {
	s.folder = s.o.Work
	if s.folder == "" {
		dir, err := os.MkdirTemp("", "edged-tune-")
		if err != nil {
			return fmt.Errorf("tune: %w", err)
		}
		defer os.RemoveAll(dir)
		s.folder = dir
	} else if err := os.MkdirAll(s.folder, 0o755); err != nil {
		return fmt.Errorf("tune: --work: %w", err)
	}
	if err := s.lay(); err != nil {
		return fmt.Errorf("tune: writing the job: %w", err)
	}
	if err := s.python(ctx); err != nil {
		return err
	}
	raw, err := os.ReadFile(filepath.Join(s.folder, "tuned.bin"))
	if err != nil {
		return fmt.Errorf("tune: %w", err)
	}
	tuned := floats(raw)
	small, err := withWeights(s.small.m, s.small.graph, tuned)
	if err != nil {
		return err
	}
	if s.want, err = s.answer(small); err != nil {
		return err
	}
	if _, err := s.check("probe_after.bin"); err != nil {
		return fmt.Errorf("%w, after the last step", err)
	}
	s.r.Model, err = withWeights(s.net.m, s.small.graph, tuned)
	return err
}

// lay writes all that the script reads. A folder of another run is refused; what
// an earlier run of the same job left is gone on from.
func (s *session) lay() error {
	n := s.net
	j := job{graph: s.small.graph, Frame: n.frame, Frames: len(s.frames), LearnFrom: s.data.learn, KeptBack: s.data.kept, Crop: s.small.crop,
		Probe: [4]int{1, s.small.crop[0], s.small.crop[1], n.frame[2]}, Grid: s.small.grid,
		Mean: perChannel(n.f.Input.Mean, n.frame[2], 0), Scale: perChannel(n.f.Input.Scale, n.frame[2], 1),
		Classes: n.classes, Meaning: n.f.Output.Kind(), Threshold: n.threshold(), Augment: append([]string{}, s.o.Augment...),
		Weighted: s.o.Weighted, Random: s.o.Random, Seed: s.o.Seed, Steps: s.o.Steps, Batch: s.o.Batch, Rate: s.o.Rate}
	same, err := json.Marshal(j)
	if err != nil {
		return err
	}
	j.Patience, j.Epochs, j.Threads = s.o.Patience, s.o.Epochs, s.o.Threads
	text, err := json.Marshal(j)
	if err != nil {
		return err
	}
	var pixels bytes.Buffer
	for i, f := range s.frames {
		pixels.Write(f.Pix)
		pixels.Write(s.data.masks[i])
	}
	if err := s.claim(same, s.small.graph.raw, pixels.Bytes()); err != nil {
		return err
	}
	probe, err := s.probe()
	if err != nil {
		return err
	}
	for name, b := range map[string][]byte{"tune.py": script, "job.json": text, "weights.bin": s.small.graph.raw, "frames.bin": pixels.Bytes(), "probe.bin": probe} {
		if err := os.WriteFile(filepath.Join(s.folder, name), b, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// claim notes whose folder it is.
func (s *session) claim(parts ...[]byte) error {
	h := sha256.New()
	for _, p := range append(parts, script) {
		h.Write(p)
	}
	own := hex.EncodeToString(h.Sum(nil))
	path := filepath.Join(s.folder, "run")
	was, err := os.ReadFile(path)
	if err == nil && string(was) != own {
		return fmt.Errorf("%s holds the state of another run (other net, frames or options): name another --work folder, or remove it", s.folder)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	// Whole or not at all: a full disk must not leave a folder that nobody's is.
	if err := os.WriteFile(path+".new", []byte(own), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// probe is noise in the range of prepared pixels, and the engine's answer to it.
func (s *session) probe() ([]byte, error) {
	r := rand.New(rand.NewPCG(1, 2))
	pix := make([]byte, s.small.crop[0]*s.small.crop[1]*s.net.frame[2])
	for i := range pix {
		pix[i] = byte(r.Uint32())
	}
	x := make([]float32, len(pix))
	s.net.prepare(x, pix)
	b, err := binary.Append(nil, binary.LittleEndian, x)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(s.folder, "probe.bin"), b, 0o644); err != nil {
		return nil, err
	}
	s.want, err = s.answer(s.small.m)
	return b, err
}

// answer is what the engine says to the probe.
func (s *session) answer(m *model.Model) ([]float32, error) {
	file, err := m.Write()
	if err != nil {
		return nil, err
	}
	e, err := s.o.Open(file, edged.Options{Threads: s.o.Threads, Exact: true})
	if err != nil {
		return nil, err
	}
	defer e.Close()
	raw, err := os.ReadFile(filepath.Join(s.folder, "probe.bin"))
	if err != nil {
		return nil, err
	}
	if len(raw) != len(e.Input(0)) {
		return nil, errors.New("BUG: the probe is not of the net's size")
	}
	copy(e.Input(0), raw)
	if err := e.Run(); err != nil {
		return nil, err
	}
	return slices.Clone(edged.View[float32](e.Output(s.net.at))), nil
}

// closeEnough is how far torch and the engine may differ, for outputs of about 1.
const closeEnough = 1e-4

// check compares what the script answered to the probe.
func (s *session) check(name string) (float64, error) {
	raw, err := os.ReadFile(filepath.Join(s.folder, name))
	if err != nil {
		return 0, fmt.Errorf("tune: %w", err)
	}
	got := floats(raw)
	if len(got) != len(s.want) {
		return 0, fmt.Errorf("tune: PyTorch gives %d numbers, the engine %d: the graph was not carried over rightly", len(got), len(s.want))
	}
	worst, size := 0.0, 1.0
	for i, v := range got {
		worst, size = max(worst, math.Abs(float64(v)-float64(s.want[i]))), max(size, math.Abs(float64(s.want[i])))
	}
	if !(worst <= closeEnough*size) {
		return worst, fmt.Errorf("tune: PyTorch and the engine differ by %g on outputs of up to %g: the graph was not carried over rightly", worst, size)
	}
	return worst, nil
}

func floats(raw []byte) []float32 {
	out := make([]float32, len(raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out
}

// missing is what is told where there is no PyTorch.
const missing = "tune: PyTorch does the learning, and %s has none: apt-get install python3-torch (Debian, Ubuntu), or name an interpreter that has torch and numpy with --python"

// python runs the script and listens to it.
func (s *session) python(ctx context.Context) error {
	path, err := child.Find(s.o.Python)
	if err != nil {
		return fmt.Errorf(missing, s.o.Python)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r, w := io.Pipe()
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		s.listen(r, cancel)
		_, _ = io.Copy(io.Discard, r)
	}()
	words, err := child.Run(ctx, child.Command{Path: path, Args: []string{s.o.Python, "-B", "-u", filepath.Join(s.folder, "tune.py"), s.folder}, Stdout: w})
	w.Close()
	<-heard
	if s.fault != nil || err == nil || errors.Is(err, context.Canceled) {
		return cmp.Or(s.fault, err)
	}
	return s.ended(err, lastLine(words))
}

// ended tells in a line why the script ended.
func (s *session) ended(err error, last string) error {
	code := 0
	if exit := (interface{ ExitCode() int })(nil); errors.As(err, &exit) { // of package os/exec
		code = exit.ExitCode()
	}
	switch code {
	case exitNoTorch:
		return fmt.Errorf(missing, s.o.Python)
	case exitDiverged:
		return errors.New("tune: learning diverged (the loss is not a number): a lower --rate helps")
	case exitTold:
		return fmt.Errorf("tune: %s", last)
	case exitNoMemory:
		return errors.New("tune: not enough memory to learn: a net rewritten for a smaller frame (edged rewrite --input HxW), with frames cut to it, needs less")
	}
	if last == "" {
		last = "it said nothing; a kernel that is short of memory ends processes so (dmesg tells)"
	}
	return fmt.Errorf("tune: the script ended (%w): %s", err, last)
}

func lastLine(words string) string {
	lines := strings.Split(strings.TrimSpace(words), "\n")
	return lines[len(lines)-1]
}

// listen reads the script's lines until it ends, or calls it off.
func (s *session) listen(r io.Reader, stop func()) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	resumed := false
	for lines.Scan() {
		var line struct {
			Kind    string `json:"kind"`
			Torch   string `json:"torch"`
			Stopped bool   `json:"stopped"`
			Epoch
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			continue // a library that talks
		}
		switch line.Kind {
		case "probe":
			s.r.Torch = line.Torch
			if s.r.Checked, s.fault = s.check("probe_before.bin"); s.fault != nil {
				stop()
				return
			}
		case "resumed":
			resumed = true
		case "epoch":
			line.Epoch.Resumed = resumed
			s.r.Epochs = append(s.r.Epochs, line.Epoch)
			if s.o.Tell != nil {
				s.o.Tell(line.Epoch)
			}
		case "done":
			s.r.Best, s.r.Stopped = line.Best, line.Stopped
		}
	}
}
