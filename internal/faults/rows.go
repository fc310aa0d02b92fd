package faults

import (
	"testing"

	"edged/mqtt"
)

// lineRows is what came of a line camera's rows in one run.
type lineRows struct {
	seq      uint64 // of the latest result
	next     int64  // row behind the last
	rows     uint64 // that came, each once
	pictures int    // that began
	torn     int    // parts that a hole cut
	ends     map[string]int
	lossy    bool // results were lost on the way, so that the rest says nothing exact
}

// fates are the rows of which it is known what became of them.
func fates(l *mqtt.LineStats) (n uint64) {
	n = l.Published
	for _, lost := range l.Lost {
		n += lost
	}
	return n
}

// results is how many results a camera has made.
func results(c mqtt.CameraStats) uint64 {
	if c.Line != nil {
		return c.Line.Results
	}
	return c.Published
}

// rowsOf follows a line camera's rows: within a picture each comes once, in order;
// one that comes again says that it ends a part.
func (r *Recorder) rowsOf(cam string, v *mqtt.Result) {
	if v.Line == nil {
		return
	}
	at := Stream{r.run, cam, mqtt.KindResult}
	l := r.lines[at]
	if l == nil {
		l = &lineRows{ends: map[string]int{}}
		r.lines[at] = l
	}
	if v.Seq <= l.seq {
		return // once more
	}
	gap := v.Seq != l.seq+1
	l.lossy, l.seq = l.lossy || gap, v.Seq
	row, rows := v.Line.Row, int64(v.Line.Rows)
	switch {
	case v.Line.Begins:
		l.pictures++
		if row < l.next {
			r.fault("camera %s: a picture begins at row %d, behind row %d", cam, row, l.next)
		}
	case gap:
	case v.Line.Ends && row+rows == l.next:
		rows = 0
	case row != l.next:
		r.fault("camera %s: result %d has row %d, row %d is next", cam, v.Seq, row, l.next)
	}
	if v.Line.Ends {
		l.ends[v.Line.Part]++
		for _, why := range v.Reasons {
			if why.Kind == "hole" {
				l.torn++
			}
		}
	}
	l.next = row + int64(v.Line.Rows)
	l.rows += uint64(rows)
}

// auditRows compares the final account of rows with what came in the last run.
func (r *Recorder) auditRows(t testing.TB, final *mqtt.Stats) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	for cam, c := range final.Cameras {
		if c.Line == nil {
			continue
		}
		l := r.lines[Stream{r.run, cam, mqtt.KindResult}]
		if l == nil {
			t.Errorf("camera %s: no row came", cam)
			continue
		}
		t.Logf("camera %s: rows %+v; came: %d in %d pictures, %d parts, %d torn", cam, *c.Line, l.rows, l.pictures, len(l.ends), l.torn)
		if c.Line.Read != fates(c.Line) {
			t.Errorf("camera %s: the rows do not balance: %+v", cam, *c.Line)
		}
		if !l.lossy && l.rows != c.Line.Published {
			t.Errorf("camera %s: %d rows came, %d were published", cam, l.rows, c.Line.Published)
		}
		for part, n := range l.ends {
			if n > 1 {
				t.Errorf("camera %s: part %s ended %d times", cam, part, n)
			}
		}
	}
}

// Pictures is how many pictures of a line camera have begun in this run.
func (r *Recorder) Pictures(cam string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.lines[Stream{r.run, cam, mqtt.KindResult}]; l != nil {
		return l.pictures
	}
	return 0
}
