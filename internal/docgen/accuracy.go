package main

import (
	"fmt"
	"os"
	"strings"
)

// Where accuracy was measured, and the page that shows some of it.
const (
	evalPath   = "../../train/nets/EVAL.md"
	cardPath   = "../../train/nets/CARD.md"
	readmePath = "../../README.md"
)

// What stands between these lines of README.md is made here.
const (
	blockBegin = "<!-- accuracy: made of train/nets/EVAL.md and CARD.md by go generate ./internal/docgen -->\n"
	blockEnd   = "<!-- end of accuracy -->\n"
)

// readme is README.md with its table of accuracy as the measurements say it now.
func readme() (string, error) {
	var text [3]string
	for i, path := range []string{evalPath, cardPath, readmePath} {
		b, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		text[i] = string(b)
	}
	table, err := accuracy(text[0], text[1])
	if err != nil {
		return "", err
	}
	head, rest, ok := strings.Cut(text[2], blockBegin)
	_, tail, ok2 := strings.Cut(rest, blockEnd)
	if !ok || !ok2 {
		return "", fmt.Errorf("%s: no lines %q and %q around its table of accuracy", readmePath, strings.TrimSpace(blockBegin), strings.TrimSpace(blockEnd))
	}
	return head + blockBegin + table + blockEnd + tail, nil
}

// accuracy is a table of the nets in eval's tables: their masks at their own stride
// and dense, and from the card how they do as classifiers.
func accuracy(eval, card string) (string, error) {
	balanced := cells(card)
	var b strings.Builder
	b.WriteString("\n| bundled net | as a classifier | mask at its own stride: mean IoU, boundary F | dense, stride 1: mean IoU, boundary F | GMACs a frame, own stride and dense |\n|---|---|---|---|---|\n")
	n := 0
	for _, part := range strings.Split(eval, "\n\n") {
		name, _, ok := strings.Cut(part, ": patch ")
		if !ok || strings.ContainsAny(name, " \n") {
			continue
		}
		_, table, _ := strings.Cut(eval, part+"\n\n")
		table, _, _ = strings.Cut(table, "\n\n")
		rows := cells(table)
		own, dense, class := rows["baseline, nearest"], rows["equivalent"], balanced[name+".tflite"]
		if own == nil || dense["stride"] != "1" || class == nil {
			return "", fmt.Errorf("%s or %s: no rows of %s at its own stride and dense", evalPath, cardPath, name)
		}
		n++
		fmt.Fprintf(&b, "| %s | %s | %s, %s | **%s**, **%s** | %s, %s |\n", name, strings.Trim(class["balanced"], "*"),
			own["mIoU"], own["boundary F"], dense["mIoU"], dense["boundary F"], own["GMACs"], dense["GMACs"])
	}
	if n == 0 {
		return "", fmt.Errorf("%s: no table of a net", evalPath)
	}
	b.WriteString("\n")
	return b.String(), nil
}

// cells reads Markdown tables: rows by their first cell, the last of a name
// counts; cells by their column's head.
func cells(text string) map[string]map[string]string {
	rows := map[string]map[string]string{}
	var heads []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") {
			heads = nil
			continue
		}
		row := strings.Split(strings.Trim(line, "|"), "|")
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
		switch {
		case heads == nil:
			heads = row
		case strings.Trim(row[0], "-: ") == "":
		default:
			if rows[row[0]] == nil {
				rows[row[0]] = map[string]string{}
			}
			for i := range min(len(row), len(heads)) {
				rows[row[0]][heads[i]] = row[i]
			}
		}
	}
	return rows
}
