package stage

import (
	"log/slog"

	"edged/model"
)

// Remark tells how the file at path was read where that is not plain: content
// newer than this edged, and repairs.
func Remark(path string, m *model.Model) {
	for _, line := range m.Remarks() {
		slog.Warn("model "+path, "remark", line)
	}
}
