package model

import (
	"crypto/ed25519"
	"strings"
	"testing"
)

// certifiedNet is a small model with facts and a certificate of level proved.
func certifiedNet(t *testing.T, change func(*Certificate)) *Model {
	t.Helper()
	b := NewBuilder()
	x := b.Input("x", TypeFloat32, 1, 4, 4, 2)
	m := b.Model(b.Name(b.Relu(x), "y"))
	f := &Manifest{Schema: ManifestSchema, Labels: []string{"good", "bad"}, Notes: []string{"first"}}
	c := &Certificate{Level: Proved, Equivalent: true, Contract: "frame", Engine: "go", Positions: 16, Phases: 1, Seed: 1<<63 + 1}
	var err error
	if c.GraphSHA256, err = m.GraphSHA256(); err != nil {
		t.Fatal(err)
	}
	if c.FactsSHA256, err = f.FactsSHA256(); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(c)
	}
	f.Certificate = c
	if err := m.SetManifest(f); err != nil {
		t.Fatal(err)
	}
	return m
}

func testKey(t *testing.T) (ed25519.PrivateKey, ed25519.PublicKey) {
	t.Helper()
	a, b, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	key, err := ParsePrivateKey(a)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := ParsePublicKey(b)
	if err != nil {
		t.Fatal(err)
	}
	return key, pub
}

// wants checks what m's certificate amounts to.
func wants(t *testing.T, what string, m *Model, level Level, why string, keys ...ed25519.PublicKey) {
	t.Helper()
	if s := m.Standing(keys...); s.Level != level || !strings.Contains(s.Why, why) {
		t.Errorf("%s: %s (%s), want %s (%s)", what, s.Level, s.Why, level, why)
	}
}

func TestStandingReadsTheCertificate(t *testing.T) {
	wants(t, "as certified", certifiedNet(t, nil), Proved, "")
	wants(t, "tested", certifiedNet(t, func(c *Certificate) { c.Level = Tested }), Tested, "")
	wants(t, "of an older edged", certifiedNet(t, func(c *Certificate) { c.Level, c.FactsSHA256 = "", "" }), NoCertificate, "verify again")
	wants(t, "of an older edged, of another graph", certifiedNet(t, func(c *Certificate) { c.Level, c.GraphSHA256 = "", "ab" }), Invalid, "another graph")
	wants(t, "of no position", certifiedNet(t, func(c *Certificate) { c.Positions = 0 }), Invalid, "no position")
	wants(t, "that says no", certifiedNet(t, func(c *Certificate) { c.Equivalent = false }), Invalid, "not equivalent")
	wants(t, "of an unknown level", certifiedNet(t, func(c *Certificate) { c.Level = "sworn" }), Invalid, "sworn")
	none := certifiedNet(t, nil)
	if err := none.SetManifest(nil); err != nil {
		t.Fatal(err)
	}
	wants(t, "without", none, NoCertificate, "--certify")
}

// TestStandingSeesWhatChanged after the certificate: graph and facts count,
// notes do not.
func TestStandingSeesWhatChanged(t *testing.T) {
	graph := certifiedNet(t, nil)
	graph.Subgraphs[0].Tensors[0].Shape[1] = 5
	wants(t, "another shape", graph, Invalid, "another graph")
	for what, c := range map[string]struct {
		edit  func(*Manifest)
		level Level
	}{
		"labels swapped": {func(f *Manifest) { f.Labels[0], f.Labels[1] = f.Labels[1], f.Labels[0] }, Invalid},
		"another mean":   {func(f *Manifest) { f.Input = Input{ChannelOrder: "RGB", Mean: []float64{1}} }, Invalid},
		"another grid":   {func(f *Manifest) { f.Grid.Origin[0]++ }, Invalid},
		"another note":   {func(f *Manifest) { f.Notes = append(f.Notes, "second") }, Proved},
	} {
		m := certifiedNet(t, nil)
		f, err := m.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		c.edit(f)
		if err := m.SetManifest(f); err != nil {
			t.Fatal(err)
		}
		if got := m.Standing(); got.Level != c.level {
			t.Errorf("%s: %s (%s), want %s", what, got.Level, got.Why, c.level)
		}
	}
}

func TestSignatures(t *testing.T) {
	key, pub := testKey(t)
	_, other := testKey(t)
	signed := certifiedNet(t, func(c *Certificate) {
		if err := c.Sign(key); err != nil {
			t.Fatal(err)
		}
	})
	wants(t, "signed, nobody asks", signed, Proved, "")
	wants(t, "signed by a trusted key", signed, Proved, "", other, pub)
	wants(t, "signed by another key", signed, NoCertificate, "trusted key", other)
	wants(t, "unsigned", certifiedNet(t, nil), NoCertificate, "trusted key", pub)
	if s := signed.Standing(pub); s.SignedBy != Fingerprint(pub) {
		t.Errorf("signed by %q, want %q", s.SignedBy, Fingerprint(pub))
	}
	for what, forge := range map[string]func(*Certificate){
		"level raised":   func(c *Certificate) { c.Level = Proved },
		"seed changed":   func(c *Certificate) { c.Seed++ },
		"key exchanged":  func(c *Certificate) { c.Signature.Key = other },
		"key cut":        func(c *Certificate) { c.Signature.Key = other[:3] },
		"value emptied":  func(c *Certificate) { c.Signature.Value = nil },
		"engine renamed": func(c *Certificate) { c.Engine = "tflite" },
	} {
		m := certifiedNet(t, func(c *Certificate) {
			c.Level = Tested
			if err := c.Sign(key); err != nil {
				t.Fatal(err)
			}
			forge(c)
		})
		wants(t, what, m, Invalid, "signature", pub)
	}
}

func TestMeets(t *testing.T) {
	for _, c := range []struct {
		have, need Level
		ok         bool
	}{
		{Proved, Proved, true}, {Tested, Proved, false}, {Tested, Tested, true}, {NoCertificate, Tested, false}, {Invalid, Tested, false},
		{NoCertificate, NoCertificate, true}, {Invalid, NoCertificate, true}, {Invalid, "", true}, {Proved, Tested, true},
	} {
		if err := (Standing{Level: c.have}).Meets(c.need); (err == nil) != c.ok {
			t.Errorf("%s where %s is required: %v", c.have, c.need, err)
		}
	}
}

// TestKeysThatAreNone are told so, with the command that makes one.
func TestKeysThatAreNone(t *testing.T) {
	private, public, err := NewKey()
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{nil, []byte("ssh-ed25519 AAAA"), private, []byte("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")} {
		if _, err := ParsePublicKey(b); err == nil || !strings.Contains(err.Error(), "edged key") {
			t.Errorf("public key %.20q: %v", b, err)
		}
	}
	if _, err := ParsePrivateKey(public); err == nil {
		t.Error("a public key passed as a private one")
	}
}
