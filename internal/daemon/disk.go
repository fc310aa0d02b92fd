package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"time"

	"edged/internal/atomicfile"
	"edged/internal/infile"
	"edged/mqtt"
)

// retryDisk is how often what a disk has refused is tried again.
const retryDisk = 2 * time.Second

// disk is how the state's folder fares. One that is full, read-only or broken
// stops nothing: the state is kept in memory until it can be saved.
type disk struct {
	unread bool          // state.json could not be read yet: it is not to be written over
	fault  error         // why the state cannot be saved at present
	errors atomic.Uint64 // attempts that failed; read while a save is under way
}

// note counts a failure and tells whether it is a new one.
func (k *disk) note(err error) (isNew bool) {
	isNew = err != nil && k.fault == nil
	k.fault = err
	if err != nil {
		k.errors.Add(1)
	}
	return isNew
}

// save writes state.json. Of a trouble that lasts only the first error is
// returned; the others are counted.
func (m *memory) save() error {
	if m.dir == "" {
		return nil
	}
	if err := m.write(); m.disk.note(err) {
		return err
	}
	return nil
}

func (m *memory) write() error {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return fmt.Errorf("state folder: %w", err)
	}
	if err := m.readLate(); err != nil {
		return fmt.Errorf("state of the last run: %w", err)
	}
	data, err := json.MarshalIndent(&m.file, "", "  ")
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return atomicfile.WritePrivate(m.path("state.json"), data)
}

// readLate takes over what an earlier run knew of the models, where the start
// could not read it.
func (m *memory) readLate() error {
	if !m.disk.unread {
		return nil
	}
	data, err := infile.Read(m.path("state.json"), infile.Text)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	old := memory{}
	_ = old.read(data) // what is no state is replaced
	for camera, o := range old.file.Models {
		mm := m.of(camera)
		if mm.Good == "" {
			mm.Good = o.Good
		}
		if mm.Candidate == o.Candidate {
			mm.Attempts += o.Attempts
		}
		if mm.Chosen == (chosen{}) {
			mm.Chosen = o.Chosen
		}
	}
	m.disk.unread = false
	return nil
}

// troubles are those that every camera's subscribers are told of, by what they
// are about.
type troubles map[string]bool

// tend tries again what the disk has refused, and tells of it when it begins and
// when it ends.
func (d *Daemon) tend() {
	d.stateMu.Lock()
	if d.memory.disk.fault != nil {
		_ = d.memory.save() // told below
	}
	fault := d.memory.disk.fault
	d.stateMu.Unlock()
	d.tell("the state of the node", fault)
	if d.client != nil {
		d.tell("the spool of events", d.client.SpoolFault())
	}
	d.tendEvidence()
}

// tell publishes a trouble of the whole node once, at every camera, and its end.
func (d *Daemon) tell(what string, fault error) {
	if d.troubles[what] == (fault != nil) {
		return
	}
	text := what + " is kept again"
	if d.troubles[what] = fault != nil; fault != nil {
		text = fmt.Sprintf("%s is kept in memory alone, a restart would lose it: %v", what, fault)
		d.log.Warn(text)
	} else {
		d.log.Info(text)
	}
	d.everywhere(mqtt.Event{Kind: mqtt.EventFault, Message: text})
}
