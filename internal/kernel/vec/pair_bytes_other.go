//go:build !amd64 || purego

package vec

type pairTable struct{}

// Vector says that Run works in vectors: nothing does here.
func (p *PairBytes) Vector() bool { return false }

func (p *PairBytes) run([]byte, []byte, []byte) int { return 0 }
