package enginetest

import "encoding/binary"

// WithField is a .tflite to one of whose tables a field was added that no
// schema names yet. The table is found from the root by pairs of a field's
// number and an index into its list, -1 where the field is a table itself:
// (2, 0, 3, 1) is the main graph's second operator. The field's value lies
// where the table begins; a reader that does not know it never looks there.
func WithField(file []byte, number int, path ...int) []byte {
	le := binary.LittleEndian
	file = append([]byte(nil), file...)
	follow := func(at int) int { return at + int(le.Uint32(file[at:])) }
	vtable := func(table int) int { return table - int(int32(le.Uint32(file[table:]))) }
	table := follow(0)
	for i := 0; i < len(path); i += 2 {
		field := table + int(le.Uint16(file[vtable(table)+4+2*path[i]:]))
		if table = follow(field); path[i+1] >= 0 {
			table = follow(table + 4 + 4*path[i+1])
		}
	}
	old := vtable(table)
	fields := append([]byte(nil), file[old:old+int(le.Uint16(file[old:]))]...)
	for len(fields) < 4+2*(number+1) {
		fields = append(fields, 0)
	}
	le.PutUint16(fields, uint16(len(fields)))
	le.PutUint16(fields[4+2*number:], 4)
	for len(file)%4 != 0 {
		file = append(file, 0)
	}
	le.PutUint32(file[table:], uint32(int32(table-len(file))))
	return append(file, fields...)
}
