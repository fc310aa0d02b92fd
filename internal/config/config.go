// Package config is the daemon's TOML file: its keys, their defaults, and every
// fault that can be seen in the file alone, with line and column.
package config

import (
	_ "embed" // the sample
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"edged/capture"
	"edged/internal/fault"
	"edged/internal/infile"
	"edged/internal/tomlfile"
	"edged/internal/verdict"
	"edged/internal/zones"
	"edged/model"
	"edged/mqtt"
	"edged/systemd"
)

// Sample is a config with every key, commented.
//
//go:embed sample.toml
var Sample []byte

// Auto is the engine that a camera has unless told otherwise: the choice is
// the program's.
const Auto = "auto"

// Engines is what the file may say about engines; the program knows which it has.
type Engines struct {
	Names      []string                                               // Auto is among them
	Aliases    map[string]string                                      // other names of some
	Delegate   func(library string, options map[string]string) string // the name of an external delegate's engine; nil: there are none
	MaxThreads int
}

// Config is the daemon's configuration file. sample.toml explains every key.
type Config struct {
	Node     Node     `toml:"node"`
	MQTT     MQTT     `toml:"mqtt"`
	Audit    Audit    `toml:"audit"`
	Evidence Evidence `toml:"evidence"`
	Cameras  []Camera `toml:"camera"`

	engines Engines
	trust   Trust
	file    *tomlfile.File // where the keys stand
}

// Node is about the daemon itself.
type Node struct {
	Name        string `toml:"name"`
	Prefix      string `toml:"prefix"`
	HTTP        string `toml:"http"`
	MemoryLimit Size   `toml:"memory_limit"`

	HTTPHosts        []string `toml:"http_hosts"` // names that the page is called by
	HTTPUser         string   `toml:"http_user"`
	HTTPPasswordFile string   `toml:"http_password_file"`

	RequireCertificate string   `toml:"require_certificate"` // none, tested or proved
	TrustedKeys        []string `toml:"trusted_keys"`        // files of public keys
}

// MQTT is about the broker. An empty Broker means that there is none.
type MQTT struct {
	Broker        string `toml:"broker"`
	ClientID      string `toml:"client_id"`
	Username      string `toml:"username"`
	PasswordFile  string `toml:"password_file"`
	CA            string `toml:"ca"`
	Cert          string `toml:"cert"`
	Key           string `toml:"key"`
	QueueBytes    Size   `toml:"queue_bytes"`
	SpoolDir      string `toml:"spool_dir"`
	SpoolBytes    Size   `toml:"spool_bytes"`
	MaxPayload    Size   `toml:"max_payload"`
	Encoding      string `toml:"encoding"`
	Overlay       bool   `toml:"overlay"`
	HomeAssistant bool   `toml:"homeassistant"`
	Retain        bool   `toml:"retain"`
}

// Audit is about what the node does in spare time: checking its own answers, and
// running shadows.
type Audit struct {
	Share float64 `toml:"share"` // of time; 0: none
}

// DefaultAuditShare is the share of time for audits and shadows, unless told
// otherwise.
const DefaultAuditShare = 0.02

// mostAuditShare leaves the frames at least as much time.
const mostAuditShare = 0.5

// Camera is one camera and the model that looks through it.
type Camera struct {
	Name    string   `toml:"name"`
	Source  string   `toml:"source"`
	ROI     []int    `toml:"roi"`
	Rotate  int      `toml:"rotate"`
	Fit     string   `toml:"fit"`
	Decode  string   `toml:"decode"`
	Trigger string   `toml:"trigger"`
	Idle    Duration `toml:"idle"`
	Bits    int      `toml:"bits"`
	EXIF    *bool    `toml:"exif"`
	Model   string   `toml:"model"`
	Shadow  string   `toml:"shadow"`
	Engine  string   `toml:"engine"`
	Threads int      `toml:"threads"`
	Prepare *Prepare `toml:"prepare"`
	Output  *Output  `toml:"output"`
	Quality *Quality `toml:"quality"`
	Line    *Line    `toml:"line"`
	Labels  []string `toml:"labels"`
	Zones   []Zone   `toml:"zone"`
	Rules   []Rule   `toml:"rule"`

	Delegate        string   `toml:"delegate"` // in place of an engine
	DelegateOptions []string `toml:"delegate_options"`
}

// Prepare gives a model's input facts where its manifest does not.
type Prepare struct {
	ChannelOrder string    `toml:"channel_order"`
	Mean         []float64 `toml:"mean"`
	Scale        []float64 `toml:"scale"`
}

// Output gives a model's output facts where its manifest does not.
type Output struct {
	Tensor    string    `toml:"tensor"`
	Meaning   string    `toml:"meaning"`
	Threshold *float64  `toml:"threshold"`
	Stride    []float64 `toml:"stride"`
	Origin    []float64 `toml:"origin"`
}

// Zone is a part of a camera's frame that rules may name.
type Zone struct {
	Name    string      `toml:"name"`
	Polygon [][]float64 `toml:"polygon"`
}

// ZoneSet is the zones that the config gives the camera.
func (c *Camera) ZoneSet() (*zones.Set, error) {
	list := make([]zones.Zone, 0, len(c.Zones))
	for i, z := range c.Zones {
		one := zones.Zone{Name: z.Name}
		for _, p := range z.Polygon {
			if len(p) != 2 {
				return nil, fault.Newf("config", fmt.Sprintf("zone[%d].polygon", i), "zone %q: corner %v: write [x, y]", z.Name, p)
			}
			one.Polygon = append(one.Polygon, [2]float64{p[0], p[1]})
		}
		list = append(list, one)
	}
	return zones.New(list)
}

// Rule is one rule on a camera's masks.
type Rule struct {
	Class         string   `toml:"class"`
	MinScore      float64  `toml:"min_score"`
	MinAreaPx     int      `toml:"min_area_px"`
	MaxTotalRatio float64  `toml:"max_total_ratio"`
	MaxCount      int      `toml:"max_count"`
	Hold          int      `toml:"hold"`
	Zones         []string `toml:"zones"`
	Verdict       string   `toml:"verdict"`
}

// DefaultHTTP is where the page, metrics and health are, unless told otherwise.
const DefaultHTTP = "127.0.0.1:8077"

// Default holds what a key is when the file does not set it.
func Default() Config {
	m := mqtt.Default()
	return Config{
		Audit:    Audit{Share: DefaultAuditShare},
		Evidence: defaultEvidence(),
		Node:     Node{Name: nodeOf(hostName()), Prefix: m.Prefix, HTTP: DefaultHTTP, RequireCertificate: string(model.NoCertificate)},
		MQTT: MQTT{
			QueueBytes: Size(m.QueueBytes), SpoolBytes: Size(m.SpoolBytes),
			MaxPayload: Size(m.MaxPayload), Encoding: m.Encoding, Retain: m.Retain,
		},
	}
}

// WithDefaults fills in what a camera's table leaves open.
func (c *Camera) WithDefaults() {
	or := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	or(&c.Fit, "crop")
	or(&c.Decode, "auto")
	or(&c.Trigger, "continuous")
	or(&c.Engine, Auto)
	if c.Line != nil {
		c.Line.withDefaults()
	}
}

// Load reads and checks the file at path. Its error tells every fault with line
// and column, and is ErrBad unless all there is to tell is what the system has
// refused.
func Load(path string, e Engines) (*Config, error) {
	data, err := infile.Read(path, infile.Text)
	if err != nil {
		return nil, Bad(fmt.Errorf("config: %w", err))
	}
	c := Parse(path, infile.WithoutBOM(data), e)
	if err := c.Err(); err != nil {
		return nil, Bad(err)
	}
	return c, nil
}

// Parse reads a config and notes its faults, which Err tells. Paths in it are
// relative to the folder the file is in.
func Parse(path string, data []byte, e Engines) *Config {
	c := Default()
	c.engines, c.file = e, tomlfile.Decode(path, data, &c)
	dir := filepath.Dir(path)
	m := &c.MQTT
	for _, p := range []*string{&m.PasswordFile, &m.CA, &m.Cert, &m.Key, &c.Node.HTTPPasswordFile} {
		*p = secretAt(dir, *p)
	}
	for i, key := range c.Node.TrustedKeys {
		c.Node.TrustedKeys[i] = relativeTo(dir, key)
	}
	m.SpoolDir = relativeTo(dir, m.SpoolDir)
	c.Evidence.Dir = relativeTo(dir, c.Evidence.Dir)
	if state := systemStateDir(); m.SpoolDir == "" && state != "" {
		m.SpoolDir = filepath.Join(state, "spool")
	}
	for i := range c.Cameras {
		cam := &c.Cameras[i]
		c.checkZeros(i)
		cam.WithDefaults()
		cam.Model = relativeTo(dir, cam.Model)
		cam.Shadow = relativeTo(dir, cam.Shadow)
		cam.Delegate = relativeTo(dir, cam.Delegate)
		if looksLikePath(cam.Source) || capture.IsFile(relativeTo(dir, cam.Source)) {
			cam.Source = relativeTo(dir, cam.Source)
		}
	}
	if c.file.Read() {
		c.check()
	}
	return &c
}

// Check notes the faults of a config that comes from no file; Err tells them
// under name.
func (c *Config) Check(name string, e Engines) error {
	c.engines, c.file = e, tomlfile.Decode(name, nil, &Config{})
	c.check()
	return c.Err()
}

// Err is nil, or every fault in one error: one line each, with its place.
func (c *Config) Err() error { return c.file.Err() }

// Names lists the cameras.
func (c *Config) Names() []string {
	var names []string
	for _, cam := range c.Cameras {
		names = append(names, cam.Name)
	}
	return names
}

// secretAt is the path of a systemd credential of that name, else of a file.
func secretAt(dir, name string) string {
	if path, ok := systemd.Credential(name); ok && !strings.Contains(name, "/") {
		return path
	}
	return relativeTo(dir, name)
}

// StateDir is where the daemon remembers things over a restart: what systemd
// gives it, else where events are spooled; empty: it remembers nothing.
func (c *Config) StateDir() string {
	if dir := systemStateDir(); dir != "" {
		return dir
	}
	return c.MQTT.SpoolDir
}

// systemStateDir is the folder that systemd keeps for the service, else empty.
func systemStateDir() string {
	dir, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":")
	return dir
}

func relativeTo(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// looksLikePath tells a file or folder from a URL, a pipeline, test:belt, and what is
// nearly one of them.
func looksLikePath(source string) bool {
	return !strings.Contains(source, "://") && !strings.Contains(source, " ! ") && !strings.HasPrefix(source, "test:") && !capture.IsGigE(source) && capture.Mistyped(source) == nil
}

// Client is the mqtt package's view of the configuration.
func (c *Config) Client() mqtt.Config {
	m := mqtt.Default()
	m.Prefix, m.Node = c.Node.Prefix, c.Node.Name
	m.Broker, m.ClientID, m.Username = c.MQTT.Broker, c.MQTT.ClientID, c.MQTT.Username
	m.PasswordFile, m.CA, m.Cert, m.Key = c.MQTT.PasswordFile, c.MQTT.CA, c.MQTT.Cert, c.MQTT.Key
	m.QueueBytes, m.SpoolBytes = int64(c.MQTT.QueueBytes), int64(c.MQTT.SpoolBytes)
	m.SpoolDir, m.MaxPayload, m.Encoding = c.MQTT.SpoolDir, int(c.MQTT.MaxPayload), c.MQTT.Encoding
	m.Retain, m.HomeAssistant = c.MQTT.Retain, c.MQTT.HomeAssistant
	return m
}

// Rule is the verdict package's view of a rule on class id.
func (r *Rule) Rule(id int) verdict.Rule {
	return verdict.Rule{
		Class: uint8(id), Name: r.Class, MinScore: r.MinScore, MinAreaPx: r.MinAreaPx,
		MaxTotalRatio: r.MaxTotalRatio, MaxCount: r.MaxCount, Hold: r.Hold, Verdict: r.Verdict, Zones: r.Zones,
	}
}

// TriggerInterval reads "interval:500ms".
func TriggerInterval(trigger string) (time.Duration, error) {
	text, ok := strings.CutPrefix(trigger, "interval:")
	if !ok {
		return 0, fmt.Errorf("trigger %q: use continuous, interval:500ms, mqtt or camera", trigger)
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("trigger %q: the interval must be a positive time such as 500ms or 2s", trigger)
	}
	return d, nil
}

// Triggered tells whether the camera itself decides when it takes a picture.
func (c *Camera) Triggered() bool { return c.Trigger == TriggerCamera }

// TriggerCamera is the trigger of a camera whose pictures are each a part's.
const TriggerCamera = "camera"

// Duration is a time, in a file as 500ms, 30s or 10m.
type Duration time.Duration

// UnmarshalText reads what time.ParseDuration does; 0 is for what is left out.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v <= 0 {
		return fmt.Errorf("time %q: write a positive number with its unit, for example \"500ms\", \"30s\" or \"10m\"", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// Size is a number of bytes, in a file a whole number or a string with a unit.
type Size int64

// UnmarshalText reads "1048576", "64KiB", "128MB", "1.5GiB".
func (s *Size) UnmarshalText(text []byte) error {
	number := strings.TrimRight(string(text), "BKMGTikmgt ")
	unit := strings.TrimSpace(string(text[len(number):]))
	units := map[string]float64{
		"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30,
	}
	factor, ok := units[unit]
	v, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if !ok || err != nil || v < 0 || v*factor > 1<<50 {
		return fmt.Errorf("size %q: write bytes or a unit, for example 67108864, \"64MiB\" or \"64MB\"", text)
	}
	*s = Size(v * factor)
	return nil
}
