package model

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Level says how much a certificate vouches for.
type Level string

// The levels of a model's standing.
const (
	Proved        Level = "proved"  // structure and run: for every input
	Tested        Level = "tested"  // run alone: the positions that were compared
	NoCertificate Level = "none"    // there is no certificate, or none that counts here
	Invalid       Level = "invalid" // the certificate is of another graph, other facts, or forged
)

// Certificate is the result of edged verify, and the identity of what it was
// made for: the graph (Model.GraphSHA256), the facts in the manifest
// (Manifest.FactsSHA256) and the baseline.
type Certificate struct {
	Level               Level           `json:"level,omitempty"` // proved, tested; empty in what an older edged wrote
	GraphSHA256         string          `json:"graph_sha256"`
	FactsSHA256         string          `json:"facts_sha256,omitempty"`
	BaselineSHA256      string          `json:"baseline_sha256"`
	BaselineGraphSHA256 string          `json:"baseline_graph_sha256,omitempty"`
	Equivalent          bool            `json:"equivalent"`
	Contract            string          `json:"contract"`
	Form                string          `json:"form,omitempty"`
	Engine              string          `json:"engine"`
	Positions           int64           `json:"positions"` // compared, over all inputs
	Phases              int             `json:"phases"`
	Inputs              int             `json:"inputs,omitempty"`
	Sampled             bool            `json:"sampled,omitempty"` // a share of the promised positions alone
	Seed                uint64          `json:"seed,omitempty"`    // of the inputs and of the sample
	BitIdentical        bool            `json:"bit_identical"`
	MaxAbsDiff          float64         `json:"max_abs_diff"`
	AsRunMaxAbsDiff     *float64        `json:"as_run_max_abs_diff,omitempty"`
	Bound               float64         `json:"bound"`
	Band                Band            `json:"band"`
	PatchAgreement      *PatchAgreement `json:"patch_agreement,omitempty"`
	Time                string          `json:"time,omitempty"`    // ISO 8601, UTC
	Version             string          `json:"version,omitempty"` // of the edged that wrote it
	Signature           *Signature      `json:"signature,omitempty"`
}

// PatchAgreement says how far a dense result under the frame contract agrees
// with the baseline on single patches.
type PatchAgreement struct {
	MaxAbsDiff float64 `json:"max_abs_diff"`
	// EqualClasses is the share, 0 to 1, of patches of pictures on which both
	// name the same class; null where no pictures were given: noise has no class.
	EqualClasses *float64         `json:"equal_classes"`
	Patches      int              `json:"patches,omitempty"`
	Images       int              `json:"images,omitempty"`
	Classes      []ClassAgreement `json:"classes,omitempty"`
	Confusion    [][]int          `json:"confusion,omitempty"` // row: what the baseline says, column: what the dense net says
	Says         string           `json:"says,omitempty"`      // what the figures can and cannot tell
}

// ClassAgreement is the agreement on the patches that the baseline gives to one class.
type ClassAgreement struct {
	Class   string `json:"class"`
	Patches int    `json:"patches"`
	Equal   int    `json:"equal"`
}

// Standing is what a model's certificate amounts to, after everything that can
// be computed from the file was compared with what it says.
type Standing struct {
	Level       Level
	Why         string       // for none and invalid: what is wrong, and the cure
	SignedBy    string       // fingerprint of the key whose signature holds, empty for an unsigned certificate
	Certificate *Certificate // nil where there is none
}

// Standing reads the model's certificate and says what it amounts to: it
// computes the hashes of graph and facts and checks the signature. With trusted
// keys a certificate that none of them signed counts as none.
func (m *Model) Standing(trusted ...ed25519.PublicKey) Standing {
	f, err := m.Manifest()
	if err != nil {
		return Standing{Level: Invalid, Why: err.Error()}
	}
	if f == nil || f.Certificate == nil {
		return Standing{Level: NoCertificate, Why: "the model carries no certificate: edged verify BASE MODEL --certify writes one"}
	}
	s := Standing{Certificate: f.Certificate}
	if s.Why = m.contradiction(f); s.Why != "" {
		s.Level = Invalid
		return s
	}
	if s.Level = f.Certificate.Level; s.Level == "" {
		s.Level, s.Why = NoCertificate, "the certificate was written by an older edged, which proved less: verify again with --certify"
		return s
	}
	if f.Certificate.Signature != nil {
		s.SignedBy = Fingerprint(f.Certificate.Signature.key())
	}
	if len(trusted) > 0 && !signedByAny(f.Certificate, trusted) {
		s.Level, s.Why = NoCertificate, "no trusted key signed the certificate: edged verify --certify --sign KEYFILE, and name KEYFILE.pub in trusted_keys"
	}
	return s
}

// contradiction says in what the certificate does not belong to the model.
func (m *Model) contradiction(f *Manifest) string {
	c := f.Certificate
	graph, err := m.GraphSHA256()
	switch {
	case err != nil:
		return err.Error()
	case c.GraphSHA256 != graph:
		return "the certificate is of another graph: the model was altered after it was verified"
	case !c.Equivalent:
		return "the certificate says that the model is not equivalent"
	case c.Level != "" && c.Level != Proved && c.Level != Tested:
		return fmt.Sprintf("the certificate's level %q is none of proved, tested", c.Level)
	case c.Level == "":
		return ""
	case c.Positions < 1:
		return "the certificate says that no position was compared"
	}
	facts, err := f.FactsSHA256()
	if err != nil {
		return err.Error()
	}
	if c.FactsSHA256 != facts {
		return "the certificate is of other facts: labels, preparation or grid were changed after the model was verified"
	}
	if c.Signature != nil && !c.Signature.holds(c) {
		return "the certificate's signature is not of this certificate"
	}
	return ""
}

// Meets gives the reason why a model of this standing may not run where at
// least the level required is asked for: none (anything goes), tested or proved.
func (s Standing) Meets(required Level) error {
	rank := map[Level]int{Proved: 2, Tested: 1}
	if rank[s.Level] >= rank[required] {
		return nil
	}
	why := s.Why
	if why == "" {
		why = "its certificate is of level " + string(s.Level)
	}
	return fmt.Errorf("model: a certificate of level %s is required: %s", required, why)
}

// FactsSHA256 identifies what the manifest states: the SHA-256, in hex, of its
// JSON with sorted keys, without the certificate and the notes.
func (f *Manifest) FactsSHA256() (string, error) {
	c := *f
	c.Certificate, c.Notes = nil, nil
	b, err := sortedJSON(c)
	if err != nil {
		return "", fmt.Errorf("model: manifest: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}

// sortedJSON is v's JSON with sorted keys and no spaces: a field that moves in
// its struct changes nothing.
func sortedJSON(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var tree any
	if err := d.Decode(&tree); err != nil {
		return nil, err
	}
	return json.Marshal(tree)
}
