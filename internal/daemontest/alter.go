package daemontest

import (
	"bytes"
	"encoding/binary"
	"errors"

	"edged/model"
)

// Altered changes the weights (input 1) or the bias (2) of the last layer of a
// float32 net.
func Altered(net []byte, input int, change func(w []float32)) ([]byte, error) {
	m, err := model.Read(bytes.Clone(net))
	if err != nil {
		return nil, err
	}
	g := m.Subgraphs[0]
	for i := len(g.Operators) - 1; i >= 0; i-- {
		op := g.Operators[i]
		if code := m.Code(op).Builtin; code != model.OpConv2D && code != model.OpFullyConnected {
			continue
		}
		data := m.Data(g.Tensors[op.Inputs[input]])
		w, err := model.Floats(model.TypeFloat32, data)
		if err != nil {
			return nil, err
		}
		change(w)
		if _, err := binary.Encode(data, binary.LittleEndian, w); err != nil {
			return nil, err
		}
		return m.Write()
	}
	return nil, errors.New("daemontest: a net without a layer to alter")
}
