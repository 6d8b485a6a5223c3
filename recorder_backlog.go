package linktrack

import "slices"

// A backlog has clicks that wait, oldest first, in the binary form of [AppendClicks]: it
// takes a fraction of the memory of a [Click] and shares none with requests.
type backlog struct {
	clicks int
	chunks [][]byte // of whole clicks; what is written in one does not change
}

// chunkSize is the capacity of a chunk in bytes. One click may be larger.
const chunkSize = 128 << 10

// add adds clicks, and returns the bytes of their binary form.
func (l *backlog) add(clicks []Click) (bytes int64) {
	for i := range clicks {
		size := int(clicks[i].size()) // more than the binary form
		last := len(l.chunks) - 1
		if last < 0 || cap(l.chunks[last])-len(l.chunks[last]) < size {
			l.chunks = append(l.chunks, make([]byte, 0, max(chunkSize, size)))
			last++
		}
		before := len(l.chunks[last])
		l.chunks[last] = appendClick(l.chunks[last], &clicks[i])
		bytes += int64(len(l.chunks[last]) - before)
	}
	l.clicks += len(clicks)
	return bytes
}

// snapshot returns a backlog that stays as it is while clicks are added to l.
func (l *backlog) snapshot() backlog { return backlog{l.clicks, slices.Clone(l.chunks)} }

// first returns a copy of the first clicks, and the bytes of their binary form. They are
// at most limit, and fewer if they are long: see maxBatchBytes.
func (l *backlog) first(limit int) (clicks []Click, bytes int64, err error) {
	clicks = make([]Click, 0, min(limit, l.clicks))
	for i := 0; i < len(l.chunks) && len(clicks) < cap(clicks) && bytes < maxBatchBytes; i++ {
		chunk, from := l.chunks[i], len(clicks)
		d := clickDecoder{rest: string(chunk)}
		for d.rest != "" && len(clicks) < cap(clicks) && bytes < maxBatchBytes {
			before := len(d.rest)
			clicks = append(clicks, Click{})
			if d.click(&clicks[len(clicks)-1], clicksVersion); d.bad {
				return nil, 0, ErrClicksDamaged
			}
			bytes += int64(before - len(d.rest))
		}
		if d.rest != "" { // decode again, so that the texts do not keep the rest of the chunk in memory
			d = clickDecoder{rest: string(chunk[:len(chunk)-len(d.rest)])}
			for ; from < len(clicks); from++ {
				d.click(&clicks[from], clicksVersion)
			}
		}
	}
	return clicks, bytes, nil
}

// remove removes the first clicks, of that many bytes.
func (l *backlog) remove(clicks int, bytes int64) {
	l.clicks -= clicks
	for bytes > 0 {
		n := min(bytes, int64(len(l.chunks[0])))
		l.chunks[0] = l.chunks[0][n:]
		if bytes -= n; len(l.chunks[0]) == 0 {
			l.chunks = slices.Delete(l.chunks, 0, 1)
		}
	}
}

// move moves all clicks of another backlog to the end of this one.
func (l *backlog) move(other *backlog) {
	l.chunks = append(l.chunks, other.chunks...)
	l.clicks += other.clicks
	*other = backlog{}
}
