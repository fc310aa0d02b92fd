//go:build (!amd64 && !arm64) || purego

package picture

type variant struct{ name string }

func (variant) force() func() { return func() {} }

func variants() []variant { return []variant{{"portable"}} }
