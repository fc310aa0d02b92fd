package rows_test

import (
	"os"
	"runtime"
	"testing"

	"edged"
	"edged/fallback"
	"edged/internal/rows"
	"edged/train/nets"
)

// TestMemoryOfAStream: at 2,048 columns the strips work in less than a whole frame of
// 512 rows does, and what they work in is the same however long the picture gets;
// 100,000 rows with EDGED_EXTENDED.
func TestMemoryOfAStream(t *testing.T) {
	const w = 2048
	length, names := 512, nets.Names()[:1]
	if os.Getenv("EDGED_EXTENDED") == "1" {
		length, names = 100000, []string{nets.Valid, nets.ValidInt8}
	}
	for _, net := range names {
		m := dense(t, net, 512, w, 2)
		b, err := m.Write()
		if err != nil {
			t.Fatal(err)
		}
		whole, err := fallback.Describe(b, edged.Options{})
		if err != nil {
			t.Fatal(err)
		}
		var engines []edged.Engine
		open := func(b []byte, o edged.Options) (edged.Engine, error) {
			e, err := fallback.Open(b, o)
			engines = append(engines, e)
			return e, err
		}
		s, err := rows.Open(m, open, rows.Options{Strip: 64, Delay: -1})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		arena := int64(s.Held())
		for _, e := range engines {
			arena += e.(*fallback.Engine).ArenaBytes()
		}
		if arena >= whole.ArenaBytes {
			t.Errorf("%s: strips work in %d bytes, a whole frame of 512 rows in %d", net, arena, whole.ArenaBytes)
		}
		used := func(rows int) int64 {
			for done := 0; done < rows; done += 64 {
				if _, err := s.Push(64); err != nil {
					t.Fatal(err)
				}
			}
			runtime.GC()
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			return int64(now.HeapAlloc)
		}
		early := used(256)
		if grown := used(length) - early; grown > 64<<10 {
			t.Errorf("%s: %d rows later the heap holds %d bytes more", net, length, grown)
		}
		t.Logf("%s: strips work in %d bytes, a whole frame of 512 rows in %d", net, arena, whole.ArenaBytes)
	}
}
