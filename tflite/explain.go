package tflite

import (
	"regexp"
	"strconv"
	"strings"

	"edged/model"
)

// TFLite's reports name a node in two ways: "Node number 3 (CONV_2D) failed to
// prepare." and XNNPACK's "... in CONV_2D node #3". Nodes are numbered like
// the main graph's operators; a delegate's own come behind them.
var nodeNumber = regexp.MustCompile(`(?:Node number |node #)(\d+)`)

// sourcePlace is the file and line that TFLite's checks put in front.
var sourcePlace = regexp.MustCompile(`^\S*/(\w+\.(?:cc|h)):\d+ `)

// explain says from TFLite's reports which operator failed, and of what.
func explain(m *model.Model, lines []string) string {
	why := reason(lines)
	if why == "" {
		why = "the library gives no reason"
	}
	if name := blamed(m, lines); name != "" {
		return name + ": " + why
	}
	return why
}

// refusal is what XNNPACK's reports say about a graph that it will not run.
func refusal(m *model.Model, lines []string) string {
	if name := blamed(m, lines); name != "" {
		return name
	}
	return "a quantisation of the graph"
}

// reason is the first report, without the place in TFLite's sources.
func reason(lines []string) string {
	for _, l := range lines {
		if l = strings.TrimSpace(sourcePlace.ReplaceAllString(l, "$1: ")); l != "" {
			return strings.TrimSuffix(l, ".")
		}
	}
	return ""
}

// blamed names the first operator that the reports number, or is "".
func blamed(m *model.Model, lines []string) string {
	ops := m.Subgraphs[0].Operators
	for _, l := range lines {
		for _, match := range nodeNumber.FindAllStringSubmatch(l, -1) {
			if n, err := strconv.Atoi(match[1]); err == nil && n < len(ops) {
				return operatorName(m, ops[n], n)
			}
		}
	}
	return ""
}
