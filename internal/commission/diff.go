package commission

import "strings"

// row is a line of a difference.
type row struct {
	Mark string `json:"mark"` // "+", "-" or " "
	Text string `json:"text"`
}

// mostDiff bounds the lines that are compared; longer files are shown whole.
const mostDiff = 3000

// diff is what makes b of a, line by line: the longest common subsequence stays.
func diff(a, b string) []row {
	x, y := linesOf(a), linesOf(b)
	if len(x) > mostDiff || len(y) > mostDiff {
		x = nil
	}
	// common[i][j] lines are in both x[i:] and y[j:].
	common := make([][]uint16, len(x)+1)
	for i := range common {
		common[i] = make([]uint16, len(y)+1)
	}
	for i := len(x) - 1; i >= 0; i-- {
		for j := len(y) - 1; j >= 0; j-- {
			if x[i] == y[j] {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	rows := []row{}
	i, j := 0, 0
	for i < len(x) || j < len(y) {
		switch {
		case i < len(x) && j < len(y) && x[i] == y[j]:
			rows = append(rows, row{" ", x[i]})
			i, j = i+1, j+1
		case j == len(y) || i < len(x) && common[i+1][j] >= common[i][j+1]:
			rows = append(rows, row{"-", x[i]})
			i++
		default:
			rows = append(rows, row{"+", y[j]})
			j++
		}
	}
	return rows
}

func linesOf(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(s, "\n"), "\n")
}
