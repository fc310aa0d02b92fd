// Command docgen writes the reference pages of docs/ from what the program
// itself reads: the commented sample of the config, and the JSON Schemas of the
// MQTT payloads. A page made from them cannot promise another key than they do.
// README's table of accuracy is made of what was measured, for the same reason.
//
//go:generate go run . -o ../../docs
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"edged/mqtt/schema"
)

// samplePath is the commented sample, relative to this folder.
const samplePath = "../../internal/config/sample.toml"

func main() {
	out := flag.String("o", "", "the `folder` to write the pages into")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, "docgen:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	pages, err := makePages()
	if err != nil {
		return err
	}
	for name, text := range pages {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	text, err := readme()
	if err != nil {
		return err
	}
	return os.WriteFile(readmePath, []byte(text), 0o644)
}

// makePages is every generated page by its file name in docs/.
func makePages() (map[string]string, error) {
	sample, err := os.ReadFile(samplePath)
	if err != nil {
		return nil, err
	}
	config, err := configPage(string(sample))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", samplePath, err)
	}
	topics, err := mqttPage(schema.Files)
	if err != nil {
		return nil, err
	}
	return map[string]string{"reference-config.md": config, "reference-mqtt.md": topics}, nil
}
