package mqtt

import (
	"fmt"
	"slices"
)

// maxGaps bounds the ranges kept for one camera and kind. Beyond it the two
// oldest become one that covers what lies between them too; Count stays exact.
const maxGaps = 32

// ReasonSeveral stands for a range whose parts were lost for different reasons.
const ReasonSeveral Reason = "several"

// gapBook holds, by camera, the ranges that were lost and not reported yet.
type gapBook map[string][]Gap

// add notes g. Numbers are lost in rising order almost always, so a range
// grows at its end.
func (b gapBook) add(cam string, g Gap) {
	gaps := b[cam]
	of, last, oldest := 0, -1, -1
	for i := range gaps {
		if gaps[i].Kind == g.Kind {
			if oldest < 0 {
				oldest = i
			}
			of, last = of+1, i
		}
	}
	switch {
	case last >= 0 && gaps[last].Reason == g.Reason && gaps[last].To+1 == g.From:
		gaps[last].To, gaps[last].Count = g.To, gaps[last].Count+g.Count
		return
	case of < maxGaps:
		b[cam] = append(gaps, g)
		return
	}
	next := oldest + 1 + slices.IndexFunc(gaps[oldest+1:], func(o Gap) bool { return o.Kind == g.Kind })
	gaps[oldest] = merge(gaps[oldest], gaps[next])
	b[cam] = append(slices.Delete(gaps, next, next+1), g)
}

func merge(a, b Gap) Gap {
	reason := a.Reason
	if b.Reason != reason {
		reason = ReasonSeveral
	}
	return Gap{Kind: a.Kind, From: min(a.From, b.From), To: max(a.To, b.To), Count: a.Count + b.Count, Reason: reason}
}

// reveals tells whether message seq of a kind, once received, would show that a
// number before it is missing.
func (b gapBook) reveals(cam string, kind Kind, seq uint64) bool {
	return slices.ContainsFunc(b[cam], func(g Gap) bool { return g.Kind == kind && g.From < seq })
}

// maxReported bounds the ranges in one event: about 100 bytes each, they stay
// below the smallest payload limit.
const maxReported = 8

// take hands over the oldest ranges of a camera, to be reported.
func (b gapBook) take(cam string) []Gap {
	gaps := b[cam]
	if len(gaps) <= maxReported {
		delete(b, cam)
		return gaps
	}
	b[cam] = gaps[maxReported:]
	return slices.Clone(gaps[:maxReported])
}

// gapEvent makes the event that reports gaps. Client.mu is held.
func (c *Client) gapEvent(cam string, k *camera, gaps []Gap) (*message, error) {
	var n uint64
	for _, g := range gaps {
		n += g.Count
	}
	return c.newEvent(cam, k, Event{Kind: EventGap, Message: fmt.Sprintf("%d messages dropped or unknown", n), Gaps: gaps})
}
