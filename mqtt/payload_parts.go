package mqtt

import (
	"bytes"
	"encoding/json"
	"fmt"

	"edged"
)

// MaxBlobs is how many blobs a result lists.
const MaxBlobs = edged.MaxBlobs

// Why is one reason of a verdict. Payloads of schema 1 held the text alone, and
// are read too.
type Why edged.Reason

// UnmarshalJSON reads an object, or the text that schema 1 had.
func (w *Why) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte(`"`)) {
		*w = Why{}
		return json.Unmarshal(b, &w.Text)
	}
	if err := json.Unmarshal(b, (*edged.Reason)(w)); err != nil {
		return fmt.Errorf("mqtt: reason: %w", err)
	}
	return nil
}

func (w Why) String() string { return w.Text }

// Whys turns the reasons of a judge into those of a payload, into dst's memory.
func Whys(dst []Why, reasons []edged.Reason) []Why {
	dst = dst[:0]
	for _, r := range reasons {
		dst = append(dst, Why(r))
	}
	return dst
}

// Blob is one connected component of a class, placed in frame pixels.
type Blob = edged.Blob

// Line places a line camera's strip on the endless picture.
type Line struct {
	Row  int64  `json:"row"`  // its first row, from 0 in each run
	Rows int    `json:"rows"` // how many
	Part string `json:"part"` // that the strip belongs to; empty: none

	Begins bool `json:"begins,omitempty"` // a picture: rows before it are missing
	Ends   bool `json:"ends,omitempty"`   // its part: verdict, reasons and blobs are the part's; else blobs are those that these rows complete
	Cut    bool `json:"cut,omitempty"`    // the part ends at max_part_rows, not for its own end
}

// LineStats accounts for a line camera's rows: each that was read is published, lost
// for a reason, or waits for the rows behind it. Rows that the source itself lost
// (missing) were never read.
type LineStats struct {
	Read      uint64            `json:"read"`
	Computed  uint64            `json:"computed"`
	Published uint64            `json:"published"`
	Lost      map[string]uint64 `json:"lost"` // border, refused, disabled
	Missing   uint64            `json:"missing"`
	Holes     uint64            `json:"holes"`
	Results   uint64            `json:"results"` // of which a strip has none, one or several
}

// Quality are measures of the picture itself.
type Quality = edged.Quality

// Zone is a named polygon in frame pixels: the payload of .../zones/set and
// .../zones/state is a list of them.
type Zone struct {
	Name    string       `json:"name"`
	Polygon [][2]float64 `json:"polygon"` // corners in order: x, y
}

// Change is one key with its state before and from now on; nil: none.
type Change struct {
	Key      string `json:"key"`
	Previous any    `json:"previous"`
	Value    any    `json:"value"`
}

// Evidence is what an audit saw where an answer differs.
type Evidence struct {
	PNG        []byte   `json:"png,omitempty"`  // the picture, where it fits the message
	File       string   `json:"file,omitempty"` // that holds it, where it does not
	Row        int      `json:"row"`            // of the mask
	Col        int      `json:"col"`
	Engines    []string `json:"engines,omitempty"` // the one in use, the other
	Difference float64  `json:"difference"`        // of a score, the largest
	Margin     float64  `json:"margin"`            // that these engines may have
}

// ShadowInfo tells which model runs beside the one in use.
type ShadowInfo struct {
	Name        string `json:"name"`
	SHA256      string `json:"sha256"`
	Engine      string `json:"engine"`
	Certificate string `json:"certificate,omitempty"`
}

// AuditStats accounts for the answers that a node has checked itself.
type AuditStats struct {
	Share     float64           `json:"share"` // of the engine's time
	Frames    uint64            `json:"frames"`
	Positions uint64            `json:"positions"`
	Differing uint64            `json:"differing"` // beyond the margin
	MaxDiff   float64           `json:"max_diff"`
	Engines   map[string]uint64 `json:"engines,omitempty"` // positions by pair
	Off       string            `json:"off,omitempty"`     // why there is no audit
}

// ShadowStats compares a shadow with the model in use.
type ShadowStats struct {
	Name              string                 `json:"name"`
	SHA256            string                 `json:"sha256"`
	Frames            uint64                 `json:"frames"` // that both looked at
	VerdictsDiffering uint64                 `json:"verdicts_differing"`
	Failed            uint64                 `json:"failed,omitempty"`
	Classes           map[string]ShadowClass `json:"classes,omitempty"`
}

// ShadowClass counts the positions of one class.
type ShadowClass struct {
	Both       uint64 `json:"both"`
	LiveOnly   uint64 `json:"live_only"`
	ShadowOnly uint64 `json:"shadow_only"`
}

// Thermal is the processor's heat and what it costs.
type Thermal struct {
	Celsius   float64 `json:"celsius"` // of the hottest sensor
	Sensor    string  `json:"sensor,omitempty"`
	MHz       float64 `json:"mhz,omitempty"` // of the slowest core now
	MaxMHz    float64 `json:"max_mhz,omitempty"`
	Throttled bool    `json:"throttled"`
	Throttles uint64  `json:"throttles,omitempty"` // since the start

	Causes []string `json:"causes,omitempty"` // heat, under-voltage
}

// EvidenceStats accounts for the NGs that are kept with their pictures.
type EvidenceStats struct {
	Count   int               `json:"count"` // there are
	Bytes   int64             `json:"bytes"` // that they take
	Kept    uint64            `json:"kept"`  // since the start
	Dropped map[string]uint64 `json:"dropped"`
	Fault   string            `json:"fault,omitempty"` // why none can be kept at present
}
