package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"edged"
	"edged/internal/config"
	"edged/internal/pipeline"
)

// replayReport is what rules said of recorded pictures.
type replayReport struct {
	Source   string         `json:"source"`
	Camera   string         `json:"camera"`
	Model    string         `json:"model"`
	Engine   string         `json:"engine"`
	Frames   int            `json:"frames"` // with a result
	Refused  int            `json:"refused"`
	Why      string         `json:"why,omitempty"` // the last one was refused
	Verdicts map[string]int `json:"verdicts"`
	Changes  int            `json:"changes"` // of the verdict
	Rules    []replayRule   `json:"rules"`
	Sweep    []swept        `json:"sweep,omitempty"`
	Results  []replayResult `json:"results"`

	Evidence bool           `json:"evidence,omitempty"` // SOURCE is kept evidence: each picture by itself
	Recorded map[string]int `json:"recorded,omitempty"` // verdict kept with a picture -> verdict now, as in "NG -> OK"

	said func() string // the verdict kept with the picture at hand; nil: none is
}

// replayRule is what became of one rule.
type replayRule struct {
	Rule     int    `json:"rule"` // from 1
	Class    string `json:"class"`
	Verdict  string `json:"verdict"`
	Broken   int    `json:"broken"`  // results in which it was in effect
	First    uint64 `json:"first"`   // such a result; 0: none
	MostPx   int    `json:"most_px"` // of its reasons
	MostBlob int    `json:"most_count"`
}

// swept is what one value of the key makes of it all.
type swept struct {
	Key      string         `json:"key"`
	Value    string         `json:"value"`
	Verdicts map[string]int `json:"verdicts"`
	Changes  int            `json:"changes"`
	Rules    []replayRule   `json:"rules"`
}

// replayResult is one picture's.
type replayResult struct {
	Seq     uint64         `json:"seq"`
	PartID  string         `json:"part_id"`
	Verdict string         `json:"verdict"`
	Reasons []edged.Reason `json:"reasons"`

	Recorded string `json:"recorded,omitempty"` // the verdict that was kept with it
}

func newReplayReport(cam *config.Camera) *replayReport {
	r := &replayReport{Camera: cam.Name, Verdicts: map[string]int{}, Rules: []replayRule{}, Results: []replayResult{}}
	for i, rule := range cam.Rules {
		word := rule.Verdict
		if word == "" {
			word = "NG"
		}
		r.Rules = append(r.Rules, replayRule{Rule: i + 1, Class: rule.Class, Verdict: word})
	}
	return r
}

// add counts a result, and keeps it where that is asked for.
func (r *replayReport) add(p *pipeline.Result, keep bool) {
	r.Frames++
	r.Verdicts[p.Verdict]++
	seen := 0
	for _, why := range p.Reasons {
		if why.Rule < 1 || why.Rule > len(r.Rules) {
			continue
		}
		rule := &r.Rules[why.Rule-1]
		if why.Rule != seen { // once, in however many zones
			rule.Broken++
		}
		seen = why.Rule
		if rule.First == 0 {
			rule.First = p.Seq
		}
		rule.MostPx, rule.MostBlob = max(rule.MostPx, why.Px), max(rule.MostBlob, why.Count)
	}
	if !keep {
		return
	}
	one := replayResult{Seq: p.Seq, PartID: p.PartID, Verdict: p.Verdict, Reasons: append([]edged.Reason{}, p.Reasons...)}
	if r.said != nil {
		if one.Recorded = r.said(); one.Recorded != "" {
			if r.Recorded == nil {
				r.Recorded = map[string]int{}
			}
			r.Recorded[one.Recorded+" -> "+p.Verdict]++
		}
	}
	r.Results = append(r.Results, one)
}

// verdictText is how often each verdict came.
func verdictText(verdicts map[string]int) string {
	var all []string
	for _, word := range slices.Sorted(maps.Keys(verdicts)) {
		name := word
		if name == "" {
			name = "no rules"
		}
		all = append(all, fmt.Sprintf("%s %d", name, verdicts[word]))
	}
	return strings.Join(all, ", ")
}

func (r *replayReport) print(out io.Writer) error {
	fmt.Fprintf(out, "%s, camera %s: %s on %s\n%d results, %d refused: %s; the verdict changed %d times\n",
		r.Source, r.Camera, r.Model, r.Engine, r.Frames, r.Refused, verdictText(r.Verdicts), r.Changes)
	if r.Why != "" {
		fmt.Fprintf(out, "refused: %s\n", r.Why)
	}
	if r.Evidence {
		fmt.Fprintf(out, "evidence, each picture judged by itself, without hold; kept as -> judged now: %s\n", verdictText(r.Recorded))
	}
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	if len(r.Sweep) > 0 {
		t.AppendHeader(table.Row{r.Sweep[0].Key, "verdicts", "changes", "in effect, by rule"})
		for _, s := range r.Sweep {
			var broken []string
			for _, rule := range s.Rules {
				broken = append(broken, fmt.Sprintf("%d %s: %d", rule.Rule, rule.Class, rule.Broken))
			}
			t.AppendRow(table.Row{s.Value, verdictText(s.Verdicts), s.Changes, strings.Join(broken, ", ")})
		}
	} else {
		t.AppendHeader(table.Row{"rule", "class", "verdict", "in effect", "first", "most px", "most blobs"})
		for _, rule := range r.Rules {
			t.AppendRow(table.Row{rule.Rule, rule.Class, rule.Verdict, rule.Broken, rule.First, rule.MostPx, rule.MostBlob})
		}
	}
	if len(r.Rules) == 0 {
		return nil
	}
	_, err := fmt.Fprintln(out, t.Render())
	return err
}
