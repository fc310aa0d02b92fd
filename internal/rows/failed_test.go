package rows_test

import (
	"bytes"
	"errors"
	"testing"

	"edged"
	"edged/fallback"
	"edged/internal/rows"
	"edged/train/nets"
)

// brittle is an engine whose runs fail when told to.
type brittle struct {
	edged.Engine
	err *error
}

func (b brittle) Run() error {
	if *b.err != nil {
		return *b.err
	}
	return b.Engine.Run()
}

// TestAFailedRunEndsThePicture: nothing is computed from what a failed run left, and
// the next picture is as if there had been none.
func TestAFailedRunEndsThePicture(t *testing.T) {
	var fault error
	s, err := rows.Open(dense(t, nets.ValidInt8, 64, 96, 2), func(b []byte, o edged.Options) (edged.Engine, error) {
		e, err := fallback.Open(b, o)
		return brittle{e, &fault}, err
	}, rows.Options{Strip: 16, Delay: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	row := s.In().Bytes() / s.In().Shape[1]
	picture := make([]byte, 80*row)
	noise(s.In(), picture, 8)
	clean := pushed(t, s, picture, 16)
	for range 4 {
		copy(s.Input(), picture)
		if _, err := s.Push(16); err != nil {
			t.Fatal(err)
		}
	}
	fault = errors.New("a processor too hot")
	if _, err := s.Push(16); !errors.Is(err, fault) {
		t.Errorf("a failed run: %v", err)
	}
	was := fault
	fault = nil
	if n, err := s.Push(16); n > 0 || !errors.Is(err, was) {
		t.Errorf("rows behind a failed run: %d, %v", n, err)
	}
	if n, err := s.End(); n > 0 || !errors.Is(err, was) {
		t.Errorf("the end behind a failed run: %d, %v", n, err)
	}
	if again := pushed(t, s, picture, 16); !bytes.Equal(again, clean) {
		t.Error("after a failed run the next picture is another")
	}
}
