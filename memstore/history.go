package memstore

import (
	"bytes"
	"net/netip"
	"slices"
	"sort"
	"strings"
	"unsafe"

	"github.com/linktrackhq/linktrack"
)

// A row is a click in the form in which the history stores it: all its texts are in one
// string.
type row struct {
	id   linktrack.ClickID
	ip   netip.Addr
	text string
	ends [6]uint32 // the ends of all parts of text except the last one
	uniq bool
	bot  bool

	class  linktrack.ClickClass
	reason linktrack.ClickReason
}

func newRow(k *linktrack.Click) row {
	r := row{id: k.ID, ip: k.IP, uniq: k.Unique, bot: k.Bot, class: k.Class, reason: k.Reason}
	parts := [...]string{k.Referrer, k.ReferrerHost, k.UserAgent, k.Browser, k.Platform, k.Country, k.Query}
	n := 0
	for i, p := range parts {
		n += len(p)
		if i < len(r.ends) {
			r.ends[i] = uint32(n)
		}
	}
	var b strings.Builder
	b.Grow(n)
	for _, p := range parts {
		b.WriteString(p)
	}
	r.text = b.String()
	return r
}

func (r *row) click(link int64) linktrack.Click {
	e := &r.ends
	return linktrack.Click{
		ID:           r.id,
		Link:         link,
		IP:           r.ip,
		Referrer:     r.text[:e[0]],
		ReferrerHost: r.text[e[0]:e[1]],
		UserAgent:    r.text[e[1]:e[2]],
		Browser:      r.text[e[2]:e[3]],
		Platform:     r.text[e[3]:e[4]],
		Country:      r.text[e[4]:e[5]],
		Query:        r.text[e[5]:],
		Unique:       r.uniq,
		Bot:          r.bot,
		Class:        r.class,
		Reason:       r.reason,
	}
}

// A history is the rows of one link in the order of their ids, in chunks of at
// most maxChunk, none of them empty. So inserting a row that comes late moves only the
// rows of one chunk, and the memory of old rows is freed one chunk at a time.
type history struct {
	chunks [][]row
}

const maxChunk = 256

func (h *history) add(r *row) {
	last := len(h.chunks) - 1
	switch {
	case last < 0:
		h.chunks = append(h.chunks, []row{*r})
	case before(h.chunks[last], r.id) < len(h.chunks[last]):
		h.insert(r)
	case len(h.chunks[last]) == maxChunk:
		h.chunks = append(h.chunks, append(make([]row, 0, maxChunk), *r))
	default:
		h.chunks[last] = append(h.chunks[last], *r)
	}
}

// insert inserts r before a row that exists.
func (h *history) insert(r *row) {
	c := h.chunkOf(r.id)
	chunk := h.chunks[c]
	if len(chunk) == maxChunk {
		half := append(make([]row, 0, maxChunk), chunk[maxChunk/2:]...)
		clear(chunk[maxChunk/2:])
		h.chunks[c] = chunk[:maxChunk/2]
		h.chunks = slices.Insert(h.chunks, c+1, half)
		if bytes.Compare(r.id[:], half[0].id[:]) > 0 {
			c++
		}
		chunk = h.chunks[c]
	}
	h.chunks[c] = slices.Insert(chunk, before(chunk, r.id), *r)
}

// size returns about how many bytes of memory a row takes.
func (r *row) size() int64 { return int64(unsafe.Sizeof(*r)) + int64(len(r.text)) }

// drop removes the oldest row and returns the bytes that it took.
func (h *history) drop() (bytes int64) {
	if len(h.chunks) == 0 {
		return 0
	}
	first := h.chunks[0]
	bytes = first[0].size()
	first[0] = row{} // its text can be freed now
	if len(first) > 1 {
		h.chunks[0] = first[1:]
		return bytes
	}
	h.chunks[0] = nil
	if h.chunks = h.chunks[1:]; len(h.chunks) == 0 {
		h.chunks = nil
	}
	return bytes
}

// chunkOf returns the first chunk whose last row is not below id, or
// len(h.chunks).
func (h *history) chunkOf(id linktrack.ClickID) int {
	return sort.Search(len(h.chunks), func(i int) bool {
		chunk := h.chunks[i]
		return bytes.Compare(chunk[len(chunk)-1].id[:], id[:]) >= 0
	})
}

// before returns how many rows of the chunk are below id.
func before(chunk []row, id linktrack.ClickID) int {
	if n := len(chunk); bytes.Compare(chunk[n-1].id[:], id[:]) < 0 {
		return n // the usual case: id is the newest
	}
	return sort.Search(len(chunk), func(i int) bool { return bytes.Compare(chunk[i].id[:], id[:]) >= 0 })
}

// A place is a position in a history: before row number row of chunk number chunk.
type place struct{ chunk, row int }

func (h *history) seek(id linktrack.ClickID) place {
	c := h.chunkOf(id)
	if c == len(h.chunks) {
		return place{c, 0}
	}
	return place{c, before(h.chunks[c], id)}
}

// between returns the rows that q asks for, in its order.
func (h *history) between(q linktrack.ClickFilter) []row {
	start, end := place{0, 0}, place{len(h.chunks), 0}
	if low := lowest(q); !low.IsZero() {
		start = h.seek(low)
	}
	if high, bound := highest(q); bound {
		end = h.seek(high)
	}
	var rows []row
	if q.Ascending {
		for p := start; len(rows) < q.Limit && less(p, end); {
			chunk := h.chunks[p.chunk][p.row:]
			if p.chunk == end.chunk {
				chunk = chunk[:end.row-p.row]
			}
			rows = append(rows, chunk[:min(len(chunk), q.Limit-len(rows))]...)
			p = place{p.chunk + 1, 0}
		}
		return rows
	}
	for p := end; len(rows) < q.Limit && less(start, p); {
		if p.row == 0 {
			p.chunk--
			p.row = len(h.chunks[p.chunk])
			continue
		}
		p.row--
		rows = append(rows, h.chunks[p.chunk][p.row])
	}
	return rows
}

func less(a, b place) bool { return a.chunk < b.chunk || a.chunk == b.chunk && a.row < b.row }

// lowest returns the lowest id that q allows, or the zero id if it allows any.
func lowest(q linktrack.ClickFilter) (id linktrack.ClickID) {
	if !q.From.IsZero() {
		id = linktrack.FirstClickID(q.From)
	}
	if !q.After.IsZero() {
		if after := next(q.After); bytes.Compare(after[:], id[:]) > 0 {
			id = after
		}
	}
	return id
}

// highest returns the id below which q allows ids. bound is false if there is no such
// limit.
func highest(q linktrack.ClickFilter) (id linktrack.ClickID, bound bool) {
	if !q.To.IsZero() {
		id, bound = linktrack.FirstClickID(q.To), true
	}
	if !q.Before.IsZero() && (!bound || bytes.Compare(q.Before[:], id[:]) < 0) {
		id, bound = q.Before, true
	}
	return id, bound
}

// next returns the id that follows id.
func next(id linktrack.ClickID) linktrack.ClickID {
	for i := len(id) - 1; i >= 0; i-- {
		if id[i]++; id[i] != 0 {
			return id
		}
	}
	for i := range id { // there is no following id, because all bits were set
		id[i] = 0xff
	}
	return id
}
