package mqtt

import (
	"encoding/json"
	"fmt"
	"time"

	"edged/internal/maskpng"
)

// Schema is the version of every payload. It grows when a key changes its
// meaning or goes; new keys alone do not change it. In 1, reasons were texts.
const Schema = 2

// Unsure is the verdict on a picture or by a model that cannot be trusted.
const Unsure = "unsure"

// What the status topics hold.
const (
	Online   = "online"
	Offline  = "offline"
	Disabled = "disabled" // a camera that enabled/set has switched off
)

// How a mask's pixels are packed.
const (
	EncodingPNG  = "png"  // 8-bit greyscale, with tEXt chunks seq and ts
	EncodingZstd = "zstd" // one zstd frame of w*h bytes, row by row
)

// Time is a time as every payload writes it: ISO 8601, UTC, milliseconds.
type Time struct{ time.Time }

// MarshalJSON writes "2026-01-02T15:04:05.000Z".
func (t Time) MarshalJSON() ([]byte, error) {
	return t.UTC().AppendFormat(make([]byte, 0, 26), `"`+maskpng.TimeLayout+`"`), nil
}

// UnmarshalJSON reads any RFC 3339 time.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("mqtt: time: %w", err)
	}
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return fmt.Errorf("mqtt: time: %w", err)
	}
	t.Time = v
	return nil
}

// Size is a width and a height in pixels.
type Size struct {
	W int `json:"w"`
	H int `json:"h"`
}

// Rect is a part of a frame in pixels, (X, Y) its upper left corner.
type Rect struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// Class tells how much of the mask one class covers.
type Class struct {
	ID    int     `json:"id"`
	Name  string  `json:"name"`
	Px    int     `json:"px"`    // mask positions
	Ratio float64 `json:"ratio"` // Px over all positions, 0 to 1
}

// MaskRef describes the mask that belongs to a result. Stride and Origin place
// it on the frame as edged.Grid does, per axis in the order y, x.
type MaskRef struct {
	Topic    string     `json:"topic"`
	Encoding string     `json:"encoding"`
	W        int        `json:"w"`
	H        int        `json:"h"`
	Bytes    int        `json:"bytes"`
	Stride   [2]float64 `json:"stride"`
	Origin   [2]float64 `json:"origin"`
}

// Result is the payload of .../result, one for every inference.
type Result struct {
	Schema     int      `json:"schema"`                 // filled in by Publish
	Seq        uint64   `json:"seq"`                    // of this camera, from 1 in each run
	TS         Time     `json:"ts"`                     // when the frame was taken
	Frame      Size     `json:"frame"`                  // the camera's frame
	ROI        Rect     `json:"roi"`                    // the part the engine saw, in frame pixels
	Fit        string   `json:"fit"`                    // crop, resize or tile
	Reduced    int      `json:"reduced,omitempty"`      // 2, 4 or 8: decoded at one over that; frame and roi are the camera's own
	Number     uint64   `json:"frame_number,omitempty"` // the camera's own, which may begin anew; 0: it tells none
	FrameAgeMS float64  `json:"frame_age_ms"`
	InferMS    float64  `json:"infer_ms"`
	Model      string   `json:"model"`
	Verdict    string   `json:"verdict"` // OK, NG, a rule's own or Unsure; empty without rules
	Reasons    []Why    `json:"reasons"`
	Classes    []Class  `json:"classes"`
	Mask       *MaskRef `json:"mask"` // filled in by Publish; null: no mask was sent
	PartID     string   `json:"part_id"`

	Engine      string   `json:"engine,omitempty"`
	Certificate string   `json:"certificate,omitempty"` // proved, tested, none or invalid
	Blobs       []Blob   `json:"blobs,omitzero"`        // at most MaxBlobs, the largest first; nil: nobody looked
	BlobsTotal  *int     `json:"blobs_total,omitempty"` // with those that Blobs leaves out
	Line        *Line    `json:"line,omitempty"`        // of a line camera
	Quality     *Quality `json:"quality,omitempty"`     // measured where the config sets limits
	File        string   `json:"file,omitempty"`        // name of the file that the frame was read from
	LeftOut     []string `json:"left_out,omitempty"`    // blobs, classes, reasons: the keys that lack something for the payload's limit
}

// Info is the payload of .../info, retained.
type Info struct {
	Version   string              `json:"version"`
	Schema    int                 `json:"schema"` // filled in by Client.Info, as is Run
	Run       string              `json:"run"`    // drawn at random: two nodes of one name differ in it
	Models    []ModelInfo         `json:"models"`
	Classes   map[string][]string `json:"classes"` // camera -> names by class id
	Cameras   []string            `json:"cameras"`
	StartedAt Time                `json:"started_at"`
	LastStop  *LastStop           `json:"last_stop"` // null on the first start

	LeftOut []string `json:"left_out,omitempty"` // what is missing for the payload's limit
}

// ModelInfo tells what a camera runs.
type ModelInfo struct {
	Camera string `json:"camera"`
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
	Engine string `json:"engine"`

	Why         string      `json:"why,omitempty"`         // this engine
	Certificate string      `json:"certificate,omitempty"` // proved, tested, none or invalid
	Shadow      *ShadowInfo `json:"shadow,omitempty"`
}

// LastStop tells how the run before this one ended.
type LastStop struct {
	At     Time   `json:"at"`
	Clean  bool   `json:"clean"`
	Reason string `json:"reason"`
}

// Stats is the payload of .../stats. Client fills in everything but UptimeS,
// Cameras and Process.
type Stats struct {
	Schema   int                    `json:"schema"`
	TS       Time                   `json:"ts"`
	UptimeS  float64                `json:"uptime_s"`
	Cameras  map[string]CameraStats `json:"cameras"`
	Process  map[string]float64     `json:"process"` // rss_bytes, goroutines, descriptors ...
	Delivery Ledger                 `json:"delivery"`
	Link     LinkStats              `json:"link"`
	Thermal  *Thermal               `json:"thermal,omitempty"` // nil where the board does not tell

	Evidence *EvidenceStats `json:"evidence,omitempty"` // nil: none is kept

	LeftOut []string `json:"left_out,omitempty"` // what is missing for the payload's limit
}

// CameraStats accounts for the frames of one camera: every frame that was read
// was published, passed over for a newer one, refused, or is being worked on.
type CameraStats struct {
	Status         string  `json:"status"`
	Why            string  `json:"why,omitempty"` // the camera is offline
	Read           uint64  `json:"read"`
	PassedOver     uint64  `json:"passed_over"`
	Refused        uint64  `json:"refused"`
	Published      uint64  `json:"published"`
	Failed         uint64  `json:"failed"` // inferences that ended in an error
	NG             uint64  `json:"ng"`     // results whose verdict is neither OK nor unsure
	InWork         uint64  `json:"in_work"`
	MissedTriggers uint64  `json:"missed_triggers"`
	Restarts       uint64  `json:"restarts"` // of the worker process
	FPS            float64 `json:"fps"`
	InferMS        float64 `json:"infer_ms"` // median of the last inferences

	RefusedBy map[string]uint64 `json:"refused_by"` // the sum of Refused and Failed, by reason
	Noticed   map[string]uint64 `json:"noticed"`    // what the camera did that is in no sum: black frames, changes of size ...

	Line *LineStats `json:"line,omitempty"` // of a line camera

	Audit  *AuditStats  `json:"audit,omitempty"`
	Shadow *ShadowStats `json:"shadow,omitempty"`
}

// LinkStats tells about the connection to the broker.
type LinkStats struct {
	Connected       bool              `json:"connected"`
	Connections     uint64            `json:"connections"`      // since the start
	FailedAttempts  uint64            `json:"failed_attempts"`  // since the start
	CommandsDropped uint64            `json:"commands_dropped"` // over the rate, too large or not understood
	Degraded        map[string]uint64 `json:"degraded"`         // by step: masks as zstd, coarser, result_alone; result, info, stats: with something left out
	Resent          uint64            `json:"resent"`           // events and states sent again after a lost link
	PayloadLimit    int               `json:"payload_limit"`    // bytes; below max_payload when the broker refuses more
	SpoolErrors     uint64            `json:"spool_errors"`
	Arrives         string            `json:"arrives"`          // whether what is published comes back: ArrivesYes, ArrivesNo or ArrivesUnknown
	StatesCorrected uint64            `json:"states_corrected"` // retained topics put right after somebody else wrote to them
	Twin            string            `json:"twin,omitempty"`   // run id of another node with this name
}

// Kinds of events. A program may see others in a later version.
const (
	EventVerdict       = "verdict"
	EventMissedTrigger = "missed_trigger"
	EventFault         = "fault"
	EventGap           = "gap"
	EventAudit         = "audit"   // the node's own answers differ from what they should be
	EventEnabled       = "enabled" // a camera was switched on or off
	EventZones         = "zones"   // its zones were changed
	EventConfig        = "config"  // its rules or other keys were changed
	EventQuality       = "quality" // its pictures left their limits, or are within them again
	EventShadow        = "shadow"  // a second model began, ended, was promoted or rolled back
)

// Event is the payload of .../event. It may arrive twice: Run and Seq together
// name it.
type Event struct {
	Schema   int    `json:"schema"` // this and the next three are filled in by Client.Event
	Run      string `json:"run"`    // started_at of the run that produced it
	Seq      uint64 `json:"seq"`    // of this camera, from 1 in each run
	TS       Time   `json:"ts"`     // kept when set
	Kind     string `json:"kind"`
	Message  string `json:"message"`
	Verdict  string `json:"verdict,omitempty"`
	Previous string `json:"previous,omitempty"`
	Reasons  []Why  `json:"reasons,omitempty"`
	PartID   string `json:"part_id,omitempty"`
	Gaps     []Gap  `json:"gaps,omitempty"`

	Changes  []Change  `json:"changes,omitempty"`  // enabled, zones, config, shadow
	Source   string    `json:"source,omitempty"`   // who changed it: mqtt, mqtt retained, page, request, config, file, daemon
	Evidence *Evidence `json:"evidence,omitempty"` // audit
}

// Gap is a range of sequence numbers, both ends included, that were produced
// and may be missing: Count of them were dropped for Reason, or unknown.
type Gap struct {
	Kind   Kind   `json:"kind"` // result, mask or event
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
	Count  uint64 `json:"count"`
	Reason Reason `json:"reason"`
}

// Response is the payload of .../response/<cmd>.
type Response struct {
	Transaction string `json:"transaction"`
	Status      string `json:"status"` // ok or error
	Data        any    `json:"data"`
	Error       string `json:"error"`
}
