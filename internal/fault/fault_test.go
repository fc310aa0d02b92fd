package fault

import (
	"errors"
	"io/fs"
	"testing"
)

func TestAllFindsEveryFault(t *testing.T) {
	a, b := Newf("mqtt", "a", "a of %d", 7), Newf("", "b", "b: %w", fs.ErrNotExist)
	plain := errors.New("plain")
	got := All(errors.Join(a, errors.Join(b, nil, plain)))
	if len(got) != 3 || got[0] != a || got[1] != b || got[2].Key != "" || got[2].Problem != plain {
		t.Errorf("%v", got)
	}
	if All(nil) != nil {
		t.Error("nothing is something")
	}
	if a.Error() != "mqtt: a of 7" || b.Error() != "b: file does not exist" || !errors.Is(b, fs.ErrNotExist) {
		t.Errorf("%v; %v", a, b)
	}
}

func TestInAndAt(t *testing.T) {
	f := At("node", In("mqtt", Newf("", "id", "bad")))
	if got := All(f)[0]; got.Key != "node" || f.Error() != "mqtt: bad" {
		t.Errorf("%+v", got)
	}
	if err := errors.New("x"); In("mqtt", err) != err || At("k", err) != err || In("mqtt", nil) != nil || At("k", nil) != nil {
		t.Error("what is no fault of a key was changed")
	}
}
