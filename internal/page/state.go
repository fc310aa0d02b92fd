package page

import (
	"encoding/json"
	"net/http"
	"time"

	"edged/internal/zones"
)

// State is what the page tells beside pictures.
type State struct {
	Now         time.Time     `json:"now"`
	Started     time.Time     `json:"started"`
	Version     string        `json:"version"`
	Broker      string        `json:"broker"`                  // ok, none, or what is wrong
	Dropped     uint64        `json:"dropped"`                 // messages, for whatever reason
	Temperature float64       `json:"temperature_c,omitempty"` // of the hottest zone; 0: not known
	HeldDown    []string      `json:"held_down,omitempty"`     // why the processor's clock is: heat, under-voltage
	Cameras     []CameraState `json:"cameras"`
	Evidence    *Evidence     `json:"evidence,omitempty"` // nil: none is kept
}

// Evidence is what is kept of NGs.
type Evidence struct {
	Count   int    `json:"count"`
	Bytes   int64  `json:"bytes"`
	Dropped uint64 `json:"dropped"` // NGs that were not kept, since the start
	Fault   string `json:"fault"`   // why none can be kept now; empty: they can
}

// CameraState is what the page tells of a camera, pictures or none.
type CameraState struct {
	Name        string            `json:"name"`
	Status      string            `json:"status"` // online, offline, disabled or ended
	Why         string            `json:"why"`    // there is no picture; empty: there is no reason
	Trigger     string            `json:"trigger"`
	Waits       bool              `json:"waits"` // Why is that nothing has triggered it
	Model       string            `json:"model"`
	Engine      string            `json:"engine"`
	EngineWhy   string            `json:"engine_why,omitempty"`
	Certificate string            `json:"certificate"`
	Audit       string            `json:"audit,omitempty"` // of the engine by itself
	InferMS     float64           `json:"infer_ms"`
	Read        uint64            `json:"read"`
	Published   uint64            `json:"published"`
	PassedOver  uint64            `json:"passed_over"`
	Refused     uint64            `json:"refused"`
	Failed      uint64            `json:"failed"`
	Missed      uint64            `json:"missed_triggers"`
	RefusedBy   map[string]uint64 `json:"refused_by,omitempty"`

	Rate       float64    `json:"rate"`        // results a second
	LastResult *time.Time `json:"last_result"` // null: none yet
	Seq        uint64     `json:"seq"`         // of the last result
	Verdict    string     `json:"verdict"`     // of the last result; of a line camera, of its last part
	Open       bool       `json:"open"`        // a line camera with rules, none of whose parts is whole yet
	NGs        []ng       `json:"ngs"`         // the newest first

	Zones []zones.Zone `json:"zones"`
}

// stateFor is how long viewers share one answer.
const stateFor = 500 * time.Millisecond

func (p *Page) serveState(w http.ResponseWriter, _ *http.Request) {
	body, err := p.stateJSON()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(body)
}

// stateJSON asks the daemon at most twice a second, however many look.
func (p *Page) stateJSON() ([]byte, error) {
	p.stateMu.Lock()
	defer p.stateMu.Unlock()
	if p.state != nil && time.Since(p.stateAt) < stateFor {
		return p.state, nil
	}
	var s State
	if p.State != nil {
		s = p.State()
	} else {
		for _, name := range p.names {
			s.Cameras = append(s.Cameras, CameraState{Name: name})
		}
	}
	s.Now = time.Now()
	for i := range s.Cameras {
		if c := p.cameras[s.Cameras[i].Name]; c != nil {
			c.fill(&s.Cameras[i])
		}
	}
	body, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	p.state, p.stateAt = body, time.Now()
	return body, nil
}

// fill adds what the page has seen of the camera itself.
func (c *camera) fill(s *CameraState) {
	c.mu.Lock()
	s.Verdict, s.Open, s.Seq = c.verdict, c.open, c.seq
	c.mu.Unlock()
	s.Rate, s.NGs = c.rate(), c.ngs.list()
	if last := c.lastWall.Load(); last != 0 {
		t := time.Unix(0, last)
		s.LastResult = &t
	}
}
