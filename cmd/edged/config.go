package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"edged/internal/tomlfile"
	"edged/mqtt"
	"edged/systemd"
)

// Config is the daemon's configuration file. sample.toml explains every key.
type Config struct {
	Node    NodeConfig     `toml:"node"`
	MQTT    MQTTConfig     `toml:"mqtt"`
	Cameras []CameraConfig `toml:"camera"`

	file *tomlfile.File // where the keys stand
}

// NodeConfig is about the daemon itself.
type NodeConfig struct {
	Name        string `toml:"name"`
	Prefix      string `toml:"prefix"`
	HTTP        string `toml:"http"`
	MemoryLimit size   `toml:"memory_limit"`
}

// MQTTConfig is about the broker. An empty Broker means that there is none.
type MQTTConfig struct {
	Broker       string `toml:"broker"`
	ClientID     string `toml:"client_id"`
	Username     string `toml:"username"`
	PasswordFile string `toml:"password_file"`
	CA           string `toml:"ca"`
	Cert         string `toml:"cert"`
	Key          string `toml:"key"`
	QueueBytes   size   `toml:"queue_bytes"`
	SpoolDir     string `toml:"spool_dir"`
	SpoolBytes   size   `toml:"spool_bytes"`
	MaxPayload   size   `toml:"max_payload"`
	Encoding     string `toml:"encoding"`
}

// CameraConfig is one camera and the model that looks through it.
type CameraConfig struct {
	Name    string         `toml:"name"`
	Source  string         `toml:"source"`
	ROI     []int          `toml:"roi"`
	Rotate  int            `toml:"rotate"`
	Fit     string         `toml:"fit"`
	Trigger string         `toml:"trigger"`
	Model   string         `toml:"model"`
	Engine  string         `toml:"engine"`
	Threads int            `toml:"threads"`
	Prepare *PrepareConfig `toml:"prepare"`
	Output  *OutputConfig  `toml:"output"`
	Labels  []string       `toml:"labels"`
	Rules   []RuleConfig   `toml:"rule"`
}

// PrepareConfig gives a model's input facts where its manifest does not.
type PrepareConfig struct {
	ChannelOrder string    `toml:"channel_order"`
	Mean         []float64 `toml:"mean"`
	Scale        []float64 `toml:"scale"`
}

// OutputConfig gives a model's output facts where its manifest does not.
type OutputConfig struct {
	Tensor    string    `toml:"tensor"`
	Meaning   string    `toml:"meaning"`
	Threshold *float64  `toml:"threshold"`
	Stride    []float64 `toml:"stride"`
	Origin    []float64 `toml:"origin"`
}

// RuleConfig is one rule on a camera's masks.
type RuleConfig struct {
	Class         string  `toml:"class"`
	MinScore      float64 `toml:"min_score"`
	MinAreaPx     int     `toml:"min_area_px"`
	MaxTotalRatio float64 `toml:"max_total_ratio"`
	MaxCount      int     `toml:"max_count"`
	Hold          int     `toml:"hold"`
	Verdict       string  `toml:"verdict"`
}

// defaultHTTP is where the page, metrics and health are, unless told otherwise.
const defaultHTTP = "127.0.0.1:8077"

// defaultConfig holds what a key is when the file does not set it.
func defaultConfig() Config {
	m := mqtt.Default()
	host, err := os.Hostname()
	if err != nil || mqtt.CheckID(strings.ToLower(host)) != nil {
		host = "edged"
	}
	return Config{
		Node: NodeConfig{Name: strings.ToLower(host), Prefix: m.Prefix, HTTP: defaultHTTP},
		MQTT: MQTTConfig{
			QueueBytes: size(m.QueueBytes), SpoolBytes: size(m.SpoolBytes),
			MaxPayload: size(m.MaxPayload), Encoding: m.Encoding,
		},
	}
}

// withDefaults fills in what a camera's table leaves open.
func (c *CameraConfig) withDefaults() {
	or := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	or(&c.Fit, "crop")
	or(&c.Trigger, "continuous")
	or(&c.Engine, engineAuto)
}

// loadConfig reads and checks the file at path. Its error tells every fault
// with line and column, and exits with exitBadConfig.
func loadConfig(path string) (*Config, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, exitf(exitBadConfig, "config: %w", err)
	}
	c := parseConfig(path, data)
	if err := c.file.Err(); err != nil {
		return nil, &exitError{exitBadConfig, err}
	}
	return c, nil
}

// parseConfig reads a config and notes its faults in its file. Paths in it are
// relative to the folder the file is in.
func parseConfig(path string, data []byte) *Config {
	c := defaultConfig()
	c.file = tomlfile.Decode(path, data, &c)
	dir := filepath.Dir(path)
	m := &c.MQTT
	for _, p := range []*string{&m.PasswordFile, &m.CA, &m.Cert, &m.Key} {
		*p = secretAt(dir, *p)
	}
	m.SpoolDir = relativeTo(dir, m.SpoolDir)
	if state := systemStateDir(); m.SpoolDir == "" && state != "" {
		m.SpoolDir = filepath.Join(state, "spool")
	}
	for i := range c.Cameras {
		cam := &c.Cameras[i]
		cam.withDefaults()
		cam.Model = relativeTo(dir, cam.Model)
		if looksLikePath(cam.Source) {
			cam.Source = relativeTo(dir, cam.Source)
		}
	}
	if c.file.Read() {
		c.check()
	}
	return &c
}

// names lists the cameras.
func (c *Config) names() []string {
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

// looksLikePath tells a file or folder from a URL, a pipeline, test:belt and a
// camera's number.
func looksLikePath(source string) bool {
	if _, err := strconv.Atoi(source); err == nil {
		return false
	}
	return !strings.Contains(source, "://") && !strings.Contains(source, " ! ") && !strings.HasPrefix(source, "test:")
}

// client is the mqtt package's view of the configuration.
func (c *Config) client() mqtt.Config {
	m := mqtt.Default()
	m.Prefix, m.Node = c.Node.Prefix, c.Node.Name
	m.Broker, m.ClientID, m.Username = c.MQTT.Broker, c.MQTT.ClientID, c.MQTT.Username
	m.PasswordFile, m.CA, m.Cert, m.Key = c.MQTT.PasswordFile, c.MQTT.CA, c.MQTT.Cert, c.MQTT.Key
	m.QueueBytes, m.SpoolBytes = int64(c.MQTT.QueueBytes), int64(c.MQTT.SpoolBytes)
	m.SpoolDir, m.MaxPayload, m.Encoding = c.MQTT.SpoolDir, int(c.MQTT.MaxPayload), c.MQTT.Encoding
	return m
}

// triggerInterval reads "interval:500ms".
func triggerInterval(trigger string) (time.Duration, error) {
	text, ok := strings.CutPrefix(trigger, "interval:")
	if !ok {
		return 0, fmt.Errorf("trigger %q: use continuous, interval:500ms or mqtt", trigger)
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("trigger %q: the interval must be a positive time such as 500ms or 2s", trigger)
	}
	return d, nil
}

// size is a number of bytes, in a file a whole number or a string with a unit.
type size int64

// UnmarshalText reads "1048576", "64KiB", "128MB", "1.5GiB".
func (s *size) UnmarshalText(text []byte) error {
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
	*s = size(v * factor)
	return nil
}
