package commission

import (
	"net/http"
	"path/filepath"
	"strings"

	"edged/internal/config"
	"edged/internal/zones"
)

// Draft is a camera as the page has it: the keys that it sets, as the config spells
// them. What else a camera has in the file stays.
type Draft struct {
	Name    string       `json:"name"`
	Source  string       `json:"source"`
	ROI     []int        `json:"roi,omitempty"`
	Fit     string       `json:"fit,omitempty"`
	Model   string       `json:"model"` // a file beside the config, or as the config names it
	Prepare *Prepare     `json:"prepare,omitempty"`
	Output  *Output      `json:"output,omitempty"`
	Labels  []string     `json:"labels,omitempty"`
	Zones   []zones.Zone `json:"zones"`
	Rules   []Rule       `json:"rules"`
}

// Prepare and Output are facts of a model that its manifest does not give.
type Prepare struct {
	ChannelOrder string    `json:"channel_order"`
	Mean         []float64 `json:"mean"`
	Scale        []float64 `json:"scale"`
}

// Output is what the model's values mean.
type Output struct {
	Meaning   string   `json:"meaning"`
	Threshold *float64 `json:"threshold,omitempty"`
}

// Rule is one rule.
type Rule struct {
	Class         string   `json:"class"`
	MinScore      float64  `json:"min_score,omitempty"`
	MinAreaPx     int      `json:"min_area_px,omitempty"`
	MaxTotalRatio float64  `json:"max_total_ratio,omitempty"`
	MaxCount      int      `json:"max_count,omitempty"`
	Hold          int      `json:"hold,omitempty"`
	Verdict       string   `json:"verdict,omitempty"`
	Zones         []string `json:"zones,omitempty"`
}

// draftOf is what a config says of a camera, paths as they lie from dir.
func draftOf(cam *config.Camera, dir string) Draft {
	near := func(path string) string {
		if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsAbs(path) && !strings.HasPrefix(rel, "..") {
			return rel
		}
		return path
	}
	d := Draft{Name: cam.Name, Source: near(cam.Source), ROI: cam.ROI, Fit: cam.Fit, Model: near(cam.Model), Labels: cam.Labels, Zones: []zones.Zone{}, Rules: []Rule{}}
	if p := cam.Prepare; p != nil {
		d.Prepare = &Prepare{p.ChannelOrder, p.Mean, p.Scale}
	}
	if o := cam.Output; o != nil {
		d.Output = &Output{o.Meaning, o.Threshold}
	}
	if set, err := cam.ZoneSet(); err == nil {
		d.Zones = append(d.Zones, set.List()...)
	}
	for _, r := range cam.Rules {
		d.Rules = append(d.Rules, Rule{r.Class, r.MinScore, r.MinAreaPx, r.MaxTotalRatio, r.MaxCount, r.Hold, r.Verdict, r.Zones})
	}
	return d
}

// onto puts the draft's keys into a camera.
func (d *Draft) onto(cam *config.Camera, dir string) {
	at := func(path string) string {
		if path == "" || filepath.IsAbs(path) {
			return path
		}
		return filepath.Join(dir, path)
	}
	cam.Name, cam.Source, cam.ROI, cam.Fit, cam.Model, cam.Labels = d.Name, d.Source, d.ROI, d.Fit, at(d.Model), d.Labels
	cam.Prepare, cam.Zones, cam.Rules = nil, nil, nil
	if p := d.Prepare; p != nil {
		cam.Prepare = &config.Prepare{ChannelOrder: p.ChannelOrder, Mean: p.Mean, Scale: p.Scale}
	}
	if o := d.Output; o != nil {
		if cam.Output == nil {
			cam.Output = &config.Output{}
		}
		cam.Output.Meaning, cam.Output.Threshold = o.Meaning, o.Threshold
	}
	for _, z := range d.Zones {
		one := config.Zone{Name: z.Name}
		for _, p := range z.Polygon {
			one.Polygon = append(one.Polygon, []float64{p[0], p[1]})
		}
		cam.Zones = append(cam.Zones, one)
	}
	for _, r := range d.Rules {
		cam.Rules = append(cam.Rules, config.Rule{
			Class: r.Class, MinScore: r.MinScore, MinAreaPx: r.MinAreaPx, MaxTotalRatio: r.MaxTotalRatio,
			MaxCount: r.MaxCount, Hold: r.Hold, Zones: r.Zones, Verdict: r.Verdict,
		})
	}
	cam.WithDefaults()
}

// getCamera is a camera of the config as a draft.
func (d *Desk) getCamera(r *http.Request) (any, error) {
	_, c, err := d.load()
	if err != nil {
		return nil, faultf(http.StatusConflict, "%w", err)
	}
	if c != nil {
		for i := range c.Cameras {
			if c.Cameras[i].Name == r.PathValue("name") {
				return draftOf(&c.Cameras[i], d.dir), nil
			}
		}
	}
	return nil, faultf(http.StatusNotFound, "no such camera in %s", d.cfg.Path)
}
