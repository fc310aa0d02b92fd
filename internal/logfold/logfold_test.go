package logfold

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// newTest is a logger that folds for a minute, on a clock that the test moves.
func newTest() (log *slog.Logger, h *Handler, clock *time.Time, lines func() []string) {
	var out bytes.Buffer
	h = New(slog.NewTextHandler(&out, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}), time.Minute)
	now := time.Unix(0, 0)
	clock = &now
	h.fold.now = func() time.Time { return *clock }
	return slog.New(h), h, clock, func() []string {
		defer out.Reset()
		return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	}
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	if len(want) == 0 {
		want = []string{""}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestRepeatsAreCountedAndToldLater(t *testing.T) {
	log, h, clock, lines := newTest()
	for i := range 5 {
		log.Error("frame refused", "camera", "a", "reason", "too_small", "err", fmt.Sprint(i))
	}
	expect(t, lines(), `level=ERROR msg="frame refused" camera=a reason=too_small err=0`)
	*clock = clock.Add(2 * time.Minute)
	log.Error("frame refused", "camera", "a", "reason", "too_small", "err", "5")
	expect(t, lines(), `level=ERROR msg="frame refused" camera=a reason=too_small err=5 repeated=4`)
	log.Error("frame refused", "camera", "a", "reason", "too_small", "err", "6")
	h.Flush(false)
	expect(t, lines())
	h.Flush(true)
	expect(t, lines(), `level=ERROR msg="frame refused" camera=a reason=too_small err=6 repeated=1`)
	h.Flush(true)
	expect(t, lines())
}

func TestWhatNamesAThingTellsKindsApart(t *testing.T) {
	log, _, _, lines := newTest()
	log.With("camera", "a").Warn("away")
	log.With("camera", "b").Warn("away")
	log.With("camera", "a").Warn("away")
	log.Warn("away", "reason", "x")
	log.Info("away")
	log.Info("in use", "model", "m", "sha256", "1") // a file that was replaced keeps its name
	log.Info("in use", "model", "m", "sha256", "2")
	expect(t, lines(), "level=WARN msg=away camera=a", "level=WARN msg=away camera=b", "level=WARN msg=away reason=x", "level=INFO msg=away",
		`level=INFO msg="in use" model=m sha256=1`, `level=INFO msg="in use" model=m sha256=2`)
}

func TestDebugIsNeverFolded(t *testing.T) {
	log, _, _, lines := newTest()
	log.Debug("step")
	log.Debug("step")
	expect(t, lines(), "level=DEBUG msg=step", "level=DEBUG msg=step")
}

func TestMemoryOfKindsIsBounded(t *testing.T) {
	log, h, clock, lines := newTest()
	for i := range 2 * maxKinds {
		log.Info(fmt.Sprint(i))
	}
	if n := len(h.fold.seen); n > maxKinds {
		t.Errorf("%d kinds remembered", n)
	}
	if n := len(lines()); n != 2*maxKinds {
		t.Errorf("%d lines: one was lost", n)
	}
	*clock = clock.Add(2 * time.Minute)
	h.Flush(false)
	if n := len(h.fold.seen); n != 0 {
		t.Errorf("%d kinds remembered after their windows", n)
	}
}
