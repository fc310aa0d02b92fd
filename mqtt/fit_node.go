package mqtt

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// without is one thing that a payload can go without: its key, and what takes it
// away where it is there.
type without struct {
	key  string
	take func() bool
}

// fitTo takes one thing after another away until v, marshalled, has at most limit
// bytes, and notes the keys in leftOut. What cannot shrink any more is returned
// as it is.
func fitTo(v any, limit int, leftOut *[]string, steps []without) ([]byte, []string, error) {
	body, err := json.Marshal(v)
	for _, s := range steps {
		if err != nil || len(body) <= limit {
			break
		}
		if s.take() {
			*leftOut = append(*leftOut, s.key)
			body, err = json.Marshal(v)
		}
	}
	return body, *leftOut, err
}

// fit is i's payload with something left out where it is over limit: why each
// engine was chosen, shadows, the class names, the last stop, the models.
func (i Info) fit(limit int) ([]byte, []string, error) {
	i.LeftOut, i.Models = nil, slices.Clone(i.Models)
	each := func(lacks func(*ModelInfo) bool) func() bool {
		return func() (some bool) {
			for k := range i.Models {
				some = lacks(&i.Models[k]) || some
			}
			return some
		}
	}
	return fitTo(&i, limit, &i.LeftOut, []without{
		{"models.why", each(func(m *ModelInfo) bool { had := m.Why != ""; m.Why = ""; return had })},
		{"models.shadow", each(func(m *ModelInfo) bool { had := m.Shadow != nil; m.Shadow = nil; return had })},
		{"classes", func() bool { had := len(i.Classes) > 0; i.Classes = map[string][]string{}; return had }},
		{"last_stop", func() bool { had := i.LastStop != nil; i.LastStop = nil; return had }},
		{"models", func() bool { had := len(i.Models) > 0; i.Models = []ModelInfo{}; return had }},
		{"cameras", func() bool { had := len(i.Cameras) > 0; i.Cameras = []string{}; return had }},
	})
}

// fit is st's payload with something left out where it is over limit: what a
// camera noticed, the reasons behind what it refused, why it is offline, shadows, audits,
// the process, evidence, the processor's heat, the cameras; the account of messages last.
func (st Stats) fit(limit int) ([]byte, []string, error) {
	st.LeftOut, st.Cameras = nil, maps.Clone(st.Cameras)
	each := func(lacks func(*CameraStats) bool) func() bool {
		return func() (some bool) {
			for name, c := range st.Cameras {
				some = lacks(&c) || some
				st.Cameras[name] = c
			}
			return some
		}
	}
	none := map[string]uint64{}
	return fitTo(&st, limit, &st.LeftOut, []without{
		{"cameras.noticed", each(func(c *CameraStats) bool { had := len(c.Noticed) > 0; c.Noticed = none; return had })},
		{"cameras.refused_by", each(func(c *CameraStats) bool { had := len(c.RefusedBy) > 0; c.RefusedBy = none; return had })},
		{"cameras.why", each(func(c *CameraStats) bool { had := c.Why != ""; c.Why = ""; return had })},
		{"cameras.shadow", each(func(c *CameraStats) bool { had := c.Shadow != nil; c.Shadow = nil; return had })},
		{"cameras.audit", each(func(c *CameraStats) bool { had := c.Audit != nil; c.Audit = nil; return had })},
		{"process", func() bool { had := len(st.Process) > 0; st.Process = map[string]float64{}; return had }},
		{"evidence", func() bool { had := st.Evidence != nil; st.Evidence = nil; return had }},
		{"thermal", func() bool { had := st.Thermal != nil; st.Thermal = nil; return had }},
		{"cameras", func() bool { had := len(st.Cameras) > 0; st.Cameras = map[string]CameraStats{}; return had }},
	})
}

// What went out smaller: LinkStats.Degraded.
const (
	degradedInfo  = "info"
	degradedStats = "stats"
)

// restateInfo publishes the node's info as large as the limit allows now, if that
// is not what stands there.
func (c *Client) restateInfo() error {
	i := c.info.Load()
	if i == nil {
		return nil
	}
	limit := min(c.cfg.MaxPayload, int(c.limit.Load()))
	body, leftOut, err := i.fit(limit)
	if err != nil {
		return fmt.Errorf("mqtt: info: %w", err)
	}
	topic := c.topics.OfNode("info")
	c.mu.Lock()
	had := c.states.of(topic)
	c.mu.Unlock()
	if had != nil && string(had.payload) == string(body) {
		return nil
	}
	if leftOut != nil {
		c.degraded(degradedInfo)
	}
	c.setState(topic, string(body))
	return nil
}
