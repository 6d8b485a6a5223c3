package sqlstore

import (
	"context"
	"strconv"
	"strings"
)

// inserts are rows that go into a table with as few statements as are fast: where statements
// are prepared, in parts, else in statements of about statementSize, whose values are
// literals.
//
// Call begin, then one method for each value, and end for each row. Call flush at the end.
type inserts struct {
	tx         *transaction
	head, tail string // before and after the rows

	literals []byte // a statement, except its tail; used if statements are not prepared
	values   []any  // of complete rows, and then of the present one; used if they are
	columns  int    // the number of values of a row; known after the first one
}

// statementSize is the length in bytes at which a statement of many rows is sent and the
// next one is begun. By default, servers accept statements of up to 16 MB (MariaDB) or
// 64 MB (MySQL). Statements of 1 MB were a fifth slower than statements of this size.
const statementSize = 256 << 10

func (in *inserts) begin() {
	switch {
	case in.tx.prepared != nil:
	case len(in.literals) == 0:
		in.literals = append(append(in.literals, in.head...), '(')
	default:
		in.literals = append(in.literals, ",("...)
	}
}

func (in *inserts) number(n int64) {
	if in.tx.prepared != nil {
		in.values = append(in.values, n)
		return
	}
	in.literals = append(strconv.AppendInt(in.literals, n, 10), ',')
}

func (in *inserts) bytes(s string) {
	if in.tx.prepared != nil {
		in.values = append(in.values, []byte(s))
		return
	}
	in.literals = append(in.tx.Literal(in.literals, s), ',')
}

func (in *inserts) bool(b bool) {
	var n int64
	if b {
		n = 1
	}
	in.number(n)
}

func (in *inserts) end(ctx context.Context) error {
	if in.tx.prepared != nil {
		if in.columns == 0 {
			in.columns = len(in.values)
		}
		if len(in.values) == in.tx.PartSizes[0]*in.columns {
			return in.flush(ctx)
		}
		return nil
	}
	in.literals[len(in.literals)-1] = ')' // instead of the comma
	if len(in.literals) >= statementSize {
		return in.flush(ctx)
	}
	return nil
}

// flush inserts the rows that were not inserted yet.
func (in *inserts) flush(ctx context.Context) error {
	if len(in.literals) > 0 {
		_, err := in.tx.ExecContext(ctx, string(append(in.literals, in.tail...)))
		in.literals = in.literals[:0]
		return err
	}
	if len(in.values) == 0 {
		return nil
	}
	row := "(?" + strings.Repeat(", ?", in.columns-1) + ")"
	for left := in.values; len(left) > 0; {
		n := in.tx.partSize(len(left) / in.columns)
		var p builder
		p.add(in.head+row+strings.Repeat(", "+row, n-1)+in.tail, left[:n*in.columns]...)
		if err := p.run(ctx, in.tx); err != nil {
			return err
		}
		left = left[n*in.columns:]
	}
	clear(in.values)
	in.values = in.values[:0]
	return nil
}
