package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"edged/model"
)

func newKeyCmd() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "key -o KEYFILE",
		Short: "Make a key pair to sign certificates with",
		Long: `key makes an ed25519 key pair: KEYFILE, which "edged verify --sign" takes and
nobody else may read, and KEYFILE.pub, which goes to the boards and into
node.trusted_keys. Both are PEM, so other tools read them too. An existing file
is never overwritten.`,
		Example: "  edged key -o line1.key",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageErr(cmd, errors.New("-o is missing: the file to write the private key to"))
			}
			return writeKeys(cmd, out)
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "", "`KEYFILE` to write, and KEYFILE.pub beside it")
	return cmd
}

func writeKeys(cmd *cobra.Command, path string) error {
	private, public, err := model.NewKey()
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	for _, f := range []struct {
		path string
		data []byte
		mode os.FileMode
	}{{path, private, 0o600}, {path + ".pub", public, 0o644}} {
		if err := writeNew(f.path, f.data, f.mode); err != nil {
			return err
		}
	}
	key, err := model.ParsePublicKey(public)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s, %s.pub: key %s\n", path, path, model.Fingerprint(key))
	return err
}

// writeNew writes a file that must not exist yet.
func writeNew(path string, data []byte, mode os.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("write %s: it is there already, and a key is never overwritten: choose another name", path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	if _, err = f.Write(data); err != nil {
		f.Close()
		return fmt.Errorf("write %s: %w", path, err)
	}
	return f.Close()
}
