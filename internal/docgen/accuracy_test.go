package main

import (
	"os"
	"strings"
	"testing"
)

// README's table of accuracy is what was measured.
func TestReadmeSaysWhatWasMeasured(t *testing.T) {
	want, err := readme()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(readmePath)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("README.md's table of accuracy is old: run 'go generate ./internal/docgen' and commit it")
	}
}

const (
	someEval = `belt: patch 39x39, total stride 8

| way | stride | mIoU | boundary F | GMACs |
| --- | ---:| ---:| ---:| ---:|
| baseline, nearest | 8 | 76.7 | 66.2 | 0.32 |
| equivalent | 8 | 76.7 | 66.2 | 0.32 |
| equivalent | 1 | 92.1 | 97.1 | 3.49 |

Columns are percent.
`
	someCard = `| net | bytes | balanced |
|---|---|---|
| belt.tflite | 5 | **99.47 %** |
`
)

func TestAccuracyTable(t *testing.T) {
	got, err := accuracy(someEval, someCard)
	if want := "| belt | 99.47 % | 76.7, 66.2 | **92.1**, **97.1** | 0.32, 3.49 |\n"; err != nil || !strings.Contains(got, want) {
		t.Errorf("%v:\n%s\nwant %s", err, got, want)
	}
	for what, c := range map[string][2]string{
		"no tables":    {"", someCard},
		"not the card": {someEval, ""},
		"not dense":    {strings.Replace(someEval, "| equivalent | 1 |", "| equivalent | 2 |", 1), someCard},
	} {
		if _, err := accuracy(c[0], c[1]); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}
