package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"edged/internal/atomicfile"
	"edged/internal/infile"
	"edged/internal/stage"
	"edged/mqtt"
)

const (
	// maxAttempts is how often a model that has never been proven may crash the
	// daemon before it goes back to the last good one.
	maxAttempts = 3

	// provenAfter is how long a new model must run without a crash to be good.
	provenAfter = time.Minute
)

// memory is the daemon's state on disk.
type memory struct {
	dir   string // empty: none
	disk  disk
	file  memoryFile
	alive time.Time // when the run before last showed that it runs
	marks *marks
	blame []blame // for the end of the run before
}

// memoryFile is state.json.
type memoryFile struct {
	Running   bool                    `json:"running"`
	StartedAt mqtt.Time               `json:"started_at"`
	StoppedAt mqtt.Time               `json:"stopped_at"`
	Reason    string                  `json:"reason"`
	Models    map[string]*modelMemory `json:"models"` // by camera

	Settings  map[string]map[string]json.RawMessage `json:"settings"`            // by camera, then by key
	Announced *announced                            `json:"announced,omitempty"` // to Home Assistant
	Zones     map[string]keptZones                  `json:"zones,omitempty"`     // by camera
	Overlays  []string                              `json:"overlays,omitempty"`  // cameras of which one is retained
}

// modelMemory is what is known of one camera's models.
type modelMemory struct {
	Good      string `json:"good"`      // SHA-256 of the model kept as last good
	Candidate string `json:"candidate"` // SHA-256 of the one that must prove itself
	Attempts  int    `json:"attempts"`  // runs in a row that ended because of the candidate

	Chosen   chosen    `json:"chosen"`
	Promoted promotion `json:"promoted"`
	Wrong    distrust  `json:"wrong"`
	InUse    string    `json:"in_use"` // SHA-256 of the model that ran last
}

// chosen is the engine that was the fastest, for the model and the program that
// it was so for.
type chosen struct {
	SHA256  string `json:"sha256"`
	Version string `json:"version"`
	Engine  string `json:"engine"`
}

// openMemory reads the state of the run before. A file that is unreadable or
// garbage is no reason not to start: it is told and replaced.
func openMemory(dir string) (*memory, error) {
	m := &memory{dir: dir, file: memoryFile{Models: map[string]*modelMemory{}}}
	m.marks, _ = openMarks("")
	if dir == "" {
		return m, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		m.disk.note(err)
		m.disk.unread = true
		return m, fmt.Errorf("state folder: %w", err)
	}
	marksErr := m.readMarks()
	data, err := infile.Read(m.path("state.json"), infile.Text)
	if errors.Is(err, fs.ErrNotExist) {
		return m, marksErr
	}
	if err == nil {
		err = m.read(data)
	}
	if err != nil {
		m.disk.note(err)
		m.disk.unread = errors.As(err, new(syscall.Errno))
		return m, fmt.Errorf("state of the last run: %w", err)
	}
	if info, err := os.Stat(m.path("state.json")); err == nil {
		m.alive = info.ModTime() // before this run writes it
	}
	return m, errors.Join(marksErr, m.count())
}

// readMarks finds what ended the run before, and begins the marks of this one.
func (m *memory) readMarks() (err error) {
	if m.marks, err = openMarks(m.path("marks")); err != nil {
		return err
	}
	d := death{kills: readKills()}
	if f, _, err := infile.Open(m.path("crash.txt"), infile.Picture); err == nil {
		defer f.Close()
		text, _ := io.ReadAll(io.LimitReader(f, 1<<20)) // what can be read of it is better than nothing
		d.crash = string(text)
		if info, err := f.Stat(); err == nil {
			d.at = info.ModTime()
		}
	}
	m.blame = m.marks.blames(d)
	m.marks.begin(time.Now(), d.kills)
	return nil
}

// count counts the end of the run before against the models that caused it.
func (m *memory) count() error {
	for _, b := range m.blame {
		if mm := m.of(b.camera); mm.Candidate == b.sha256 {
			mm.Attempts++
		}
	}
	if len(m.blame) == 0 {
		return nil
	}
	return m.save()
}

// listen has the runtime write its last words where the next run finds them.
func (m *memory) listen(library func(*os.File) error) error {
	if m.dir == "" {
		return nil
	}
	f, err := os.OpenFile(m.path("crash.txt"), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("crash report: %w", err)
	}
	defer f.Close() // the runtime and the library have their own copies
	if library != nil {
		if err := library(f); err != nil {
			return fmt.Errorf("crash report: %w", err)
		}
	}
	return debug.SetCrashOutput(f, debug.CrashOptions{})
}

// read takes over what state.json says.
func (m *memory) read(data []byte) error {
	var f memoryFile
	if err := json.Unmarshal(data, &f); err != nil {
		return err
	}
	if f.Models != nil {
		m.file = f
	}
	maps.DeleteFunc(m.file.Models, func(_ string, mm *modelMemory) bool { return mm == nil })
	return nil
}

func (m *memory) path(name string) string { return filepath.Join(m.dir, name) }

// lastStop tells how the run before ended, nil on the first start.
func (m *memory) lastStop() *mqtt.LastStop {
	f := &m.file
	switch {
	case f.StartedAt.IsZero():
		return nil
	case f.Running:
		at := f.StartedAt
		if m.alive.After(at.Time) {
			at.Time = m.alive
		}
		if len(m.blame) > 0 {
			return &mqtt.LastStop{At: at, Reason: "crash by the model of " + m.blame[0].camera + ": " + m.blame[0].cause}
		}
		return &mqtt.LastStop{At: at, Reason: "crash, kill or loss of power"}
	}
	return &mqtt.LastStop{At: f.StoppedAt, Clean: true, Reason: f.Reason}
}

// touch notes that the daemon still runs, without writing data.
func (m *memory) touch() {
	if m.dir != "" {
		now := time.Now()
		// Only the time in last_stop depends on it.
		_ = os.Chtimes(m.path("state.json"), now, now)
	}
}

// of is the memory of a camera's models.
func (m *memory) of(camera string) *modelMemory {
	if m.file.Models[camera] == nil {
		m.file.Models[camera] = &modelMemory{}
	}
	return m.file.Models[camera]
}

// engineOf is the engine that was chosen for a model, empty where that is not
// known or was another program's choice.
func (m *memory) engineOf(camera, sha, version string) string {
	if c := m.of(camera).Chosen; c.SHA256 == sha && c.Version == version {
		return c.Engine
	}
	return ""
}

// chose notes which engine was chosen.
func (m *memory) chose(camera, sha, version, engine string) error {
	now := chosen{sha, version, engine}
	if c := &m.of(camera).Chosen; *c != now {
		*c = now
		return m.save()
	}
	return nil
}

// goodPath is where a camera's last good model is kept.
func (m *memory) goodPath(camera string) string { return m.path(camera + ".good.tflite") }

// attempt notes, before a model is used, that it is; it tells whether the model
// has crashed the daemon too often and a good one is there to go back to.
func (m *memory) attempt(camera, sha string) (useGood bool, err error) {
	mm := m.of(camera)
	if m.dir == "" || sha == mm.Good {
		return false, nil
	}
	if mm.Candidate == sha {
		return mm.Attempts >= maxAttempts && mm.Good != "", nil
	}
	mm.Candidate, mm.Attempts = sha, 0
	return false, m.save()
}

// proven keeps a model that has run well as the last good one.
func (m *memory) proven(camera string, file *stage.File) error {
	mm := m.of(camera)
	if m.dir == "" || mm.Good == file.SHA256 {
		return nil
	}
	if err := atomicfile.WritePrivate(m.goodPath(camera), file.Data); err != nil {
		return err
	}
	mm.Good, mm.Candidate, mm.Attempts = file.SHA256, "", 0
	return m.save()
}

// started notes that a run begins, stopped that it ended in good order: then
// its models are not to blame for anything.
func (m *memory) started(at time.Time) error {
	m.file.Running, m.file.StartedAt = true, mqtt.Time{Time: at}
	return m.save()
}

func (m *memory) stopped(reason string) error {
	m.file.Running, m.file.Reason = false, reason
	m.file.StoppedAt = mqtt.Time{Time: time.Now()}
	for _, mm := range m.file.Models {
		mm.Attempts = 0
	}
	clear(m.marks.mem)
	return m.save()
}
