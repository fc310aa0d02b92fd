package parts

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"edged"
)

// maskOf has a row for each letter: x holds class 1 somewhere. Row r of the mask is
// centred on row 2r + delay of the picture.
func maskOf(row, delay int, letters string) *edged.Mask {
	m := &edged.Mask{W: 3, Stride: 4, H: len(letters), Grid: edged.Grid{Stride: [2]float64{2, 1}, Origin: [2]float64{float64(2*row + delay), 0}}}
	for i, l := range letters {
		p := []uint8{0, 0, 0, 9}
		if l == 'x' {
			p[i%3] = 1
		}
		m.Pix = append(m.Pix, p...)
	}
	return m
}

// words writes a piece down: its rows, its part, and what is said of its ends.
func words(row int, p Piece) string {
	word := fmt.Sprintf("%d-%d:%s", row+p.From, row+p.To, p.Part)
	for _, f := range []struct {
		is   bool
		word string
	}{{p.Before, "<"}, {p.Ends, "!"}, {p.Behind, ">"}, {p.Torn, "torn"}, {p.Cut, "cut"}} {
		if f.is {
			word += f.word
		}
	}
	return word
}

// run feeds strips of a picture, "id|letters", and writes down what comes of them. A
// row of the mask is decided as soon as the row of the picture is there that is delay
// rows behind the one that it is centred on.
func run(c *Cutter, first, delay int, strips ...string) string {
	var said []string
	c.Begin(int64(first))
	all, given, taken := "", 0, first
	for _, s := range strips {
		id, letters, _ := strings.Cut(s, "|")
		all += letters
		c.Take(2*len(letters), id)
		taken += 2 * len(letters)
		n := (taken-first-2*delay+1)/2 - given
		if n <= 0 {
			continue
		}
		m := maskOf(0, first+delay+2*given, all[given:given+n])
		for at := 0; at < m.H; {
			p := c.Next(m, nil, at)
			said = append(said, words(given, p))
			at = p.To
		}
		given += n
	}
	if p, ok := c.Break(); ok {
		said = append(said, "broken:"+p.Part)
	}
	for _, id := range c.Unseen() {
		said = append(said, "unseen:"+id)
	}
	return strings.Join(said, " ")
}

func TestCutter(t *testing.T) {
	for _, c := range []struct {
		how    How
		delay  int
		strips []string
		want   string
	}{
		{How{Rows: 6}, 0, []string{"|xxxx", "|xxxx"}, "0-3:1!> 3-4:2< 4-6:2!> 6-8:3< broken:3"},
		{How{Rows: 6}, 3, []string{"|xxxx", "|xxxx"}, "0-1:1 1-2:1!> 2-5:2<!> broken:"},
		{How{Rows: 5}, 0, []string{"|xxxx", "|xxxxxxx"}, "0-3:1!> 3-4:2< 4-5:2!> 5-8:3<!> 8-10:4<!> 10-11:5< broken:5"}, // no drift: rows 0, 5, 10, 15, 20
		{How{Absent: "metal"}, 0, []string{"|..xx", "|xx..", "|.x.x"}, "0-2: 2-4:1 4-6:1! 6-8: 8-9: 9-10:2! 10-11: 11-12:3 broken:3"},
		{How{Absent: "metal"}, 0, []string{"|xx", "|..", "|xx"}, "0-2:1 2-2:1!torn 2-4: 4-6:2 broken:2"}, // its beginning was not seen
		{How{Absent: "metal", MaxRows: 4}, 0, []string{"|.xxxxx."}, "0-1: 1-3:1!>cut 3-5:2<!>cut 5-6:3<! 6-7:"},
		{How{Trigger: true}, 0, []string{"a|xx", "a|xx", "b|xx"}, "0-2:a 2-4:a 4-4:a! 4-6:b broken:b"},
		{How{Trigger: true, MaxRows: 6}, 0, []string{"a|xxxxx"}, "0-3:a!>cut 3-5:a< broken:a"},
		{How{Trigger: true}, 3, []string{"a|xxxx", "b|xxxx", "c|xxxx"}, "0-1:a 1-3:a! 3-5:b 5-7:b! 7-9:c broken:c"}, // rows before a trigger are decided behind it
		{How{Trigger: true}, 3, []string{"a|x", "b|x", "c|xxxx"}, "0-1:b! 1-3:c broken:c unseen:a"},
		{How{Trigger: true}, 3, []string{"a|xxxx", "b|x"}, "0-1:a 1-2:a broken:a unseen:b"},
		{How{Trigger: true}, 0, []string{"|xx", "|xx", "b|xx"}, "0-2:1 2-4:1 4-4:1! 4-6:b broken:b"},
		{How{MaxRows: 8}, 0, []string{"|xxx", "|xxx"}, "0-3:1 3-4:1!> 4-6:2< broken:2"},
	} {
		for _, first := range []int{0, 1000} {
			if got := run(NewCutter(c.how, 1, 2), first, c.delay, c.strips...); got != strings.TrimSuffix(c.want, " broken:") {
				t.Errorf("%+v of %q from row %d:\n got %s\nwant %s", c.how, c.strips, first, got, c.want)
			}
		}
	}
}

// A row of the mask is of the part in which the row was taken that it is centred on,
// whatever the heights of the strips, the delay and the length of the parts; each part
// ends once, and one that no row is centred on is named.
func TestPartsByRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		delay, stride := rapid.IntRange(0, 24).Draw(t, "delay"), rapid.IntRange(1, 4).Draw(t, "stride")
		c := NewCutter(How{Trigger: true}, 1, stride)
		c.Begin(0)
		var ids []string // by row of the picture
		got, ended, given := map[int]string{}, map[string]int{}, 0
		for range rapid.IntRange(1, 60).Draw(t, "strips") {
			n := rapid.IntRange(1, 40).Draw(t, "rows")
			id := "p" + fmt.Sprint(len(ids)*rapid.IntRange(0, 1).Draw(t, "next"))
			if len(ids) > 0 && strings.HasSuffix(id, "p0") {
				id = ids[len(ids)-1]
			}
			c.Take(n, id)
			for range n {
				ids = append(ids, id)
			}
			h := 0
			for (given+h)*stride+2*delay < len(ids) {
				h++
			}
			m := &edged.Mask{W: 1, Stride: 1, H: h, Pix: make([]byte, h), Grid: edged.Grid{Stride: [2]float64{float64(stride), 1}, Origin: [2]float64{float64(delay + given*stride), 0}}}
			for at := 0; at < h; {
				p := c.Next(m, nil, at)
				for r := p.From; r < p.To; r++ {
					got[given+r] = p.Part
				}
				if p.Ends {
					ended[p.Part]++
				}
				at = p.To
			}
			given += h
		}
		if p, ok := c.Break(); ok {
			ended[p.Part]++
		}
		for _, id := range c.Unseen() {
			ended[id]++
		}
		for r := range given {
			if want := ids[delay+r*stride]; got[r] != want {
				t.Fatalf("row %d is of %s, want %s", r, got[r], want)
			}
		}
		for _, id := range ids {
			if ended[id] != 1 {
				t.Fatalf("part %s ends %d times", id, ended[id])
			}
		}
	})
}

// A part that a hole cut has no whole rest behind it, and a new model goes on with the
// numbers.
func TestPartsBehindAHole(t *testing.T) {
	c := NewCutter(How{Trigger: true}, 1, 2)
	run(c, 0, 0, "a|xx")
	if got, want := run(c, 100, 0, "a|xx", "b|xx", "c|x"), "0-2:a 2-2:a!torn 2-4:b 4-4:b! 4-5:c broken:c"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	next := NewCutter(How{Trigger: true}, 1, 2)
	next.Follow(c)
	if got, want := run(next, 200, 0, "c|xx", "|x"), "0-2:c 2-3:c broken:c"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	c, next = NewCutter(How{Rows: 4}, 1, 2), NewCutter(How{Rows: 4}, 1, 2)
	run(c, 0, 0, "|xxxx")
	next.Follow(c)
	if got, want := run(next, 100, 0, "|xxx"), "0-2:3!> 2-3:4< broken:4"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParse(t *testing.T) {
	for s, want := range map[string]How{"": {}, "trigger": {Trigger: true}, "rows:12": {Rows: 12}, "absent:metal": {Absent: "metal"}} {
		if h, err := Parse(s); h != want || err != nil {
			t.Errorf("%q: %+v, %v", s, h, err)
		}
	}
	for _, s := range []string{"rows", "rows:0", "rows:x", "absent:", "trigger:1", "part"} {
		if _, err := Parse(s); err == nil {
			t.Errorf("%q passes", s)
		}
	}
}
