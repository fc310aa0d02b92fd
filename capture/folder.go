package capture

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg"
	_ "image/png"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"edged"
	"edged/internal/infile"
)

// folder is a Source of the PNG and JPEG files of a directory, in the order of
// their names: those that are there (Once, Loop), or those that come, for ever. It
// waits for its caller, so nothing is ever passed over.
type folder struct {
	cfg   Config
	names []string // paths
	next  int
	watch *watcher // nil: the names are all there are
	file  string   // name of the one lent last
	pix   []byte
	spare []byte // for pictures that are turned
	dim   dim
	seq   uint64
	due   time.Time

	begins bool // the next picture is the first of a round

	serving sync.Mutex // Next holds it; Close waits for it

	mu     sync.Mutex
	counts tally
	closed chan struct{}
	once   sync.Once
}

func openFolder(cfg Config) (Source, error) {
	f := &folder{cfg: cfg, begins: true, closed: make(chan struct{})}
	f.counts.Opens = 1
	if !cfg.Once && !cfg.Loop {
		f.watch = newWatcher(f)
		return f, nil
	}
	entries, err := os.ReadDir(cfg.Source)
	if err != nil {
		return nil, fmt.Errorf("capture: folder of images: %w", err)
	}
	for _, e := range entries {
		if !e.IsDir() && isPicture(e.Name()) {
			f.names = append(f.names, filepath.Join(cfg.Source, e.Name()))
		}
	}
	slices.SortFunc(f.names, byName)
	if len(f.names) == 0 {
		return nil, fmt.Errorf("capture: folder %q holds no .png, .jpg or .jpeg file: %w", cfg.Source, ErrEmpty)
	}
	cfg.tell(Status{Online: true})
	return f, nil
}

// ErrEmpty is what is wrong with a folder without pictures, for who does not wait.
var ErrEmpty = errors.New("it is empty as yet")

// isPicture tells by its name whether a file is of a kind that is taken. Names that
// begin with a dot are for files on their way.
func isPicture(name string) bool {
	ext := strings.ToLower(filepath.Ext(name))
	return name[0] != '.' && slices.Contains([]string{".png", ".jpg", ".jpeg"}, ext)
}

// Next implements Source. A file that does not decode is refused as corrupt,
// with a warning, and the next one is tried.
func (s *folder) Next(ctx context.Context, f *edged.Frame) error {
	s.serving.Lock()
	defer s.serving.Unlock()
	if err := s.wait(ctx); err != nil {
		return err
	}
	for bad := 0; ; {
		name, err := s.pick(ctx, bad)
		if err != nil {
			return err
		}
		if err = s.load(name, f); err == nil {
			s.file = filepath.Base(name)
			break
		}
		if s.watch != nil && s.watch.later(name, err) {
			continue
		}
		s.seq++
		bad++
		s.refuse(name, err)
	}
	s.seq++
	s.note(func(t *tally) { t.Read++; t.Delivered++ })
	f.Seq, f.Time, f.PartID, f.Begins = s.seq, time.Now(), s.file, s.begins
	s.begins = false
	return nil
}

// pick is the path of the next picture; bad have been no pictures since the last.
func (s *folder) pick(ctx context.Context, bad int) (string, error) {
	if s.watch != nil {
		return s.watch.next(ctx)
	}
	if s.next == len(s.names) {
		if !s.cfg.Loop || bad == len(s.names) {
			return "", io.EOF
		}
		s.next, s.begins = 0, true
	}
	s.next++
	return s.names[s.next-1], nil
}

// refuse says which picture does not decode, and why.
func (s *folder) refuse(name string, err error) {
	s.cfg.Log.Warn("image passed by: it does not decode", "camera", s.cfg.Name, "file", name, "err", err)
	s.note(func(t *tally) { t.refuse(&t.By.Corrupt, 1) })
	if s.cfg.OnLoss != nil {
		s.cfg.OnLoss(Loss{Reason: "corrupt", N: 1, At: time.Now(), File: filepath.Base(name), Why: err.Error()})
	}
}

// File implements Filer.
func (s *folder) File() string { return s.file }

// wait keeps the pace that was asked for.
func (s *folder) wait(ctx context.Context) error {
	pause := time.Duration(0)
	if s.cfg.FPS > 0 && !s.cfg.EveryFrame {
		now := time.Now()
		pause = max(0, s.due.Sub(now))
		s.due = now.Add(pause + time.Duration(float64(time.Second)/s.cfg.FPS))
	}
	return s.pause(ctx, pause)
}

// pause waits, unless the source is closed or ctx done.
func (s *folder) pause(ctx context.Context, d time.Duration) error {
	due := time.NewTimer(d)
	defer due.Stop()
	select { // closed and cancelled come first
	case <-s.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	default:
	}
	select {
	case <-s.closed:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	case <-due.C:
		return nil
	}
}

func (s *folder) load(name string, f *edged.Frame) error {
	file, _, err := infile.Open(name, infile.Picture)
	if err != nil {
		return err
	}
	defer file.Close()
	head, _, err := image.DecodeConfig(file)
	if err != nil {
		return err
	}
	if int64(head.Width)*int64(head.Height) > s.cfg.MaxPixels {
		return fmt.Errorf("%dx%d is over %d pixels", head.Width, head.Height, s.cfg.MaxPixels)
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	img, _, err := image.Decode(file)
	if err != nil {
		return err
	}
	s.convert(img, f)
	if _, err := file.Seek(0, io.SeekStart); err == nil && !s.cfg.IgnoreEXIF {
		s.spare = oriented(f, orientation(file), s.spare)
		s.pix = f.Pix
	}
	if s.dim.look(f, s.cfg.Bits) {
		s.cfg.tellDim()
	}
	return nil
}

// convert puts img into f as RGB, or as Gray when it is a grey image.
func (s *folder) convert(img image.Image, f *edged.Frame) {
	b := img.Bounds()
	f.W, f.H, f.Format = b.Dx(), b.Dy(), edged.RGB
	switch img.(type) {
	case *image.Gray, *image.Gray16:
		f.Format = edged.Gray
	}
	f.Stride = f.W * f.Format.Channels()
	s.pix = slices.Grow(s.pix[:0], f.Stride*f.H)[:f.Stride*f.H]
	f.Pix = s.pix
	for y := range f.H {
		row := f.Pix[y*f.Stride : (y+1)*f.Stride]
		switch m := img.(type) {
		case *image.Gray:
			copy(row, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		case *image.Gray16:
			deepRow(row, m, b.Min.X, b.Min.Y+y, s.cfg.Bits)
		case *image.NRGBA:
			rgbaRow(row, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		case *image.RGBA: // opaque: PNG without alpha
			rgbaRow(row, m.Pix[m.PixOffset(b.Min.X, b.Min.Y+y):])
		case *image.YCbCr:
			ycbcrRow(row, m, b.Min.X, b.Min.Y+y)
		default:
			anyRow(row, img, b.Min.X, b.Min.Y+y)
		}
	}
}

// rgbaRow takes colour as stored and drops alpha.
func rgbaRow(row, src []byte) {
	for x := range len(row) / 3 {
		copy(row[3*x:3*x+3], src[4*x:])
	}
}

func ycbcrRow(row []byte, m *image.YCbCr, x0, y int) {
	for x := range len(row) / 3 {
		c := m.COffset(x0+x, y)
		row[3*x], row[3*x+1], row[3*x+2] = color.YCbCrToRGB(m.Y[m.YOffset(x0+x, y)], m.Cb[c], m.Cr[c])
	}
}

func anyRow(row []byte, img image.Image, x0, y int) {
	for x := range len(row) / 3 {
		c := color.NRGBAModel.Convert(img.At(x0+x, y)).(color.NRGBA)
		row[3*x], row[3*x+1], row[3*x+2] = c.R, c.G, c.B
	}
}

func (s *folder) note(change func(*tally)) {
	s.mu.Lock()
	change(&s.counts)
	s.mu.Unlock()
}

// Counts implements Source.
func (s *folder) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts.Counts
}

// Close implements Source.
func (s *folder) Close() error {
	s.once.Do(func() {
		close(s.closed)
		s.serving.Lock()
		defer s.serving.Unlock()
		if s.watch != nil {
			s.watch.close()
		}
	})
	return nil
}
