package parts

import (
	"fmt"
	"strings"
	"testing"

	"edged"
)

// maskOf has a row for each letter: x holds class 1 somewhere.
func maskOf(row int, letters string) *edged.Mask {
	m := &edged.Mask{W: 3, Stride: 4, H: len(letters), Grid: edged.Grid{Stride: [2]float64{2, 1}, Origin: [2]float64{float64(2 * row), 0}}}
	for i, l := range letters {
		p := []uint8{0, 0, 0, 9}
		if l == 'x' {
			p[i%3] = 1
		}
		m.Pix = append(m.Pix, p...)
	}
	return m
}

// run feeds strips, "name|letters", and writes down what comes of it.
func run(c *Cutter, strips ...string) string {
	var said []string
	row := 0
	for _, s := range strips {
		name, letters, _ := strings.Cut(s, "|")
		m := maskOf(row, letters)
		for at := 0; at < m.H; {
			p := c.Next(m, nil, at, name)
			word := fmt.Sprintf("%d-%d:%s", row+p.From, row+p.To, p.Part)
			if p.Ends {
				whole, _ := c.Mask()
				word += fmt.Sprintf("(%d from %v)", whole.H, whole.Grid.Origin[0]/2)
			}
			said = append(said, word)
			at = p.To
		}
		row += m.H
	}
	if part, ok := c.Break(); ok {
		said = append(said, "broken:"+part)
	}
	return strings.Join(said, " ")
}

func TestCutter(t *testing.T) {
	for _, c := range []struct {
		how    How
		strips []string
		want   string
	}{
		{How{Rows: 6}, []string{"|xxxx", "|xxxx"}, "0-3:1(3 from 0) 3-4:2 4-6:2(3 from 3) 6-8:3 broken:3"},
		{How{Absent: "metal"}, []string{"|..xx", "|xx..", "|.x.x"}, "0-2: 2-4:1 4-6:1(4 from 2) 6-8: 8-9: 9-10:2(1 from 9) 10-11: 11-12:3 broken:3"},
		{How{Absent: "metal"}, []string{"|xx", "|..", "|xx"}, "0-2:1 2-2:1(2 from 0) 2-4: 4-6:2 broken:2"},
		{How{Trigger: true}, []string{"a|xx", "a|xx", "b|xx"}, "0-2:a 2-4:a 4-4:a(4 from 0) 4-6:b broken:b"},
		{How{Trigger: true, MaxRows: 6}, []string{"a|xxxxx"}, "0-3:a(3 from 0) 3-5:a broken:a"},
		{How{MaxRows: 8}, []string{"|xxx", "|xxx"}, "0-3:1 3-4:1(4 from 0) 4-6:2 broken:2"},
	} {
		if got := run(NewCutter(c.how, 1, 2), c.strips...); got != c.want {
			t.Errorf("%+v of %q:\n got %s\nwant %s", c.how, c.strips, got, c.want)
		}
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
