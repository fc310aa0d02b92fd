package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"edged/internal/infile"
	"edged/model"
)

func newManifestCmd() *cobra.Command {
	var set, out string
	cmd := &cobra.Command{
		Use:   "manifest MODEL [--set FILE -o OUT]",
		Short: "Show or set what a model says about its input, output and grid",
		Long: `manifest shows the JSON document that a .tflite carries for edged: labels, how
a picture becomes the input, what the output means, where its positions lie on
the picture, and the certificate that "edged verify" wrote. The file stays an
ordinary .tflite.

With --set it puts the document FILE into the model and writes the result to
OUT, all at once; OUT may be MODEL itself. Unknown keys and contradictions are
refused.`,
		Example: `  edged manifest net.tflite > net.json
  edged manifest net.tflite --set net.json -o net.tflite

A document needs no more than the facts that a camera uses:
  {"schema": 1, "labels": ["background", "part", "scratch"],
   "input": {"channel_order": "RGB", "mean": [127.5], "scale": [0.00784313725]},
   "output": {"tensor": "Identity", "meaning": "logits"},
   "grid": {"stride": [1, 1], "origin": [7, 7]}}`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, _, err := readGraph(args[0])
			if err != nil {
				return err
			}
			switch {
			case set == "" && out == "":
				return showManifest(cmd, args[0], m)
			case set == "" || out == "":
				return usageErr(cmd, errors.New("--set and -o go together: the document to put in, and the file to write"))
			}
			return setManifest(m, set, out)
		},
	}
	cmd.Flags().StringVar(&set, "set", "", "JSON `FILE` to put into the model")
	cmd.Flags().StringVarP(&out, "output", "o", "", "`OUT`, the model to write")
	return cmd
}

func showManifest(cmd *cobra.Command, path string, m *model.Model) error {
	f, err := m.Manifest()
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if f == nil {
		return fmt.Errorf("%s carries no manifest; write one with: edged manifest %s --set FILE -o OUT", path, path)
	}
	return writeJSON(cmd.OutOrStdout(), f)
}

func setManifest(m *model.Model, document, out string) error {
	b, err := infile.Read(document, infile.Text)
	if err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	f, err := model.ParseManifest(b)
	if err == nil {
		err = m.SetManifest(f)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", document, err)
	}
	return writeModel(out, m)
}
