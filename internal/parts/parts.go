// Package parts cuts the endless mask of a line camera into parts. A row of the mask
// is of the part in which the row of the picture was taken that it is centred on: the
// strip that decides it may be of the next part.
package parts

import (
	"fmt"
	"strconv"
	"strings"
)

// How says what cuts a part off. One of the fields is set; none: each is MaxRows long.
type How struct {
	Trigger bool
	Rows    int    // of the picture
	Absent  string // a class: rows without it lie between parts
	MaxRows int    // of the picture; a longer part is cut
}

// DefaultMaxRows bounds a part unless told otherwise.
const DefaultMaxRows = 16384

// Parse reads "trigger", "rows:N" or "absent:CLASS".
func Parse(s string) (h How, err error) {
	word, rest, _ := strings.Cut(s, ":")
	switch word {
	case "":
		return h, nil
	case "trigger":
		if s == word {
			return How{Trigger: true}, nil
		}
	case "rows":
		if n, err := strconv.Atoi(rest); err == nil && n > 0 {
			return How{Rows: n}, nil
		}
	case "absent":
		if rest != "" {
			return How{Absent: rest}, nil
		}
	}
	return h, fmt.Errorf("part %q: use trigger, rows:N (rows of the picture) or absent:CLASS", s)
}

// Check says why parts of this kind cannot be cut where a row of the mask stands for
// stride rows of the picture.
func (h How) Check(stride int) error {
	if h.Rows > 0 && h.Rows < stride {
		return fmt.Errorf("part \"rows:%d\": a row of the model's mask stands for %d rows of the picture, so some parts would have none: use rows:%d or more, or a model of a smaller output stride", h.Rows, stride, stride)
	}
	return nil
}
