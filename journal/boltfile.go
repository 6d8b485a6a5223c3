package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
)

// bbolt trusts its file: on a damaged one it may panic, fault on its memory
// map, recurse until the stack is full or ask for all memory there is, and part
// of that in goroutines of its own, where nobody can recover. So the file is
// read here first, with every offset checked, and bbolt sees only files whose
// structure is sound.

// errDamaged: the file is not as the journal wrote it. An error that is not
// errDamaged says nothing about the file: it could not be read.
var errDamaged = errors.New("damaged")

// errOtherVersion: another version wrote the file, and it is whole. The clicks in
// it are safe, and must not be put aside.
var errOtherVersion = errors.New("journal: the file has a version that this program cannot read; let the program that wrote it move its clicks to the store, or move the file away")

func otherVersion(of string, version uint32) error {
	return fmt.Errorf("%w (version %d of %s)", errOtherVersion, version, of)
}

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errDamaged, fmt.Sprintf(format, args...))
}

const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2
	boltHeader  = 16 // of a page: id 8, flags 2, count 2, overflow 4
	boltElement = 16 // of a leaf: flags, pos, ksize, vsize; of a branch: pos, ksize, id 8
	boltMeta    = 64
	boltDepth   = 32 // far more than a tree of a few pages to a branch can have

	branchPage   = 0x01
	leafPage     = 0x02
	freelistPage = 0x10
)

type boltFile struct {
	file     io.ReaderAt
	pageSize uint64
	pages    uint64 // as far as the file is in use
	seen     []bool // pages that are part of something
}

type boltMetaPage struct {
	pageSize, root, freelist, pages, tx uint64
}

// readBolt calls visit with each key and value of each bucket, in order. The
// file must have these buckets and no others; names is sorted.
func readBolt(file io.ReaderAt, size int64, names []string, visit func(bucket string, key, value []byte) error) error {
	first, err := readMeta(file, size, 0)
	if errors.Is(err, errDamaged) {
		// Another version may compute its checksum in another way.
		if v := versionAt(file, 0); v != 0 && v != boltVersion && v == versionAt(file, pageSize) {
			return otherVersion("bbolt's file", v)
		}
	}
	if err != nil {
		return err
	}
	second, err := readMeta(file, size, first.pageSize)
	if err != nil {
		return err
	}
	// bbolt would go on with one good meta page. But that may be the older
	// one, and then clicks that were promised to be safe are gone, and the
	// numbers of batches are used twice.
	if first.pageSize != second.pageSize || max(first.tx, second.tx)-min(first.tx, second.tx) != 1 {
		return damaged("the meta pages do not fit together")
	}
	meta := first
	if second.tx > first.tx {
		meta = second
	}
	if meta.pages < 4 || meta.pages > uint64(size)/meta.pageSize {
		return damaged("the file ends before its last page")
	}
	b := &boltFile{file: file, pageSize: meta.pageSize, pages: meta.pages, seen: make([]bool, meta.pages)}
	err = b.tree(meta.root, 0, nil, nil, func(flags uint32, name, value []byte) error {
		if flags != 1 || len(names) == 0 || string(name) != names[0] {
			return damaged("%q is not a bucket of a journal", name)
		}
		names = names[1:]
		return b.bucket(value, func(flags uint32, key, value []byte) error {
			if flags != 0 {
				return damaged("a bucket in a bucket")
			}
			return visit(string(name), key, value)
		})
	})
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return damaged("there is no bucket %q", names[0])
	}
	return b.freelist(meta.freelist)
}

func readMeta(file io.ReaderAt, size int64, at uint64) (boltMetaPage, error) {
	var m boltMetaPage
	b := make([]byte, boltHeader+boltMeta)
	if at+uint64(len(b)) > uint64(size) {
		return m, damaged("the file ends before its first page")
	}
	if err := readAt(file, b, at); err != nil {
		return m, err
	}
	b = b[boltHeader:]
	sum := fnv.New64a()
	sum.Write(b[:56])
	order := binary.NativeEndian
	if order.Uint32(b) != boltMagic || order.Uint64(b[56:]) != sum.Sum64() {
		return m, damaged("a meta page is not bbolt's")
	}
	if v := order.Uint32(b[4:]); v != boltVersion {
		return m, otherVersion("bbolt's file", v)
	}
	m = boltMetaPage{
		pageSize: uint64(order.Uint32(b[8:])),
		root:     order.Uint64(b[16:]),
		freelist: order.Uint64(b[32:]),
		pages:    order.Uint64(b[40:]),
		tx:       order.Uint64(b[48:]),
	}
	if m.pageSize < 1<<10 || m.pageSize > 1<<16 || m.pageSize&(m.pageSize-1) != 0 {
		return m, damaged("a page size of %d", m.pageSize)
	}
	return m, nil
}

// versionAt returns the version that a meta page at that place states, or 0.
func versionAt(file io.ReaderAt, at int64) uint32 {
	var b [boltHeader + 8]byte
	if _, err := file.ReadAt(b[:], at); err != nil || binary.NativeEndian.Uint32(b[boltHeader:]) != boltMagic {
		return 0
	}
	return binary.NativeEndian.Uint32(b[boltHeader+4:])
}

func readAt(file io.ReaderAt, b []byte, at uint64) error {
	_, err := file.ReadAt(b, int64(at))
	if errors.Is(err, io.EOF) {
		return damaged("the file ends before its last page")
	}
	return err
}

// page reads a page with all that overflows from it, and checks that no other
// has used any of it.
func (b *boltFile) page(id uint64) (data []byte, flags uint16, count int, err error) {
	if id < 2 || id >= b.pages {
		return nil, 0, 0, damaged("page %d of %d", id, b.pages)
	}
	data = make([]byte, b.pageSize)
	if err := readAt(b.file, data, id*b.pageSize); err != nil {
		return nil, 0, 0, err
	}
	order := binary.NativeEndian
	own := order.Uint64(data)
	flags = order.Uint16(data[8:])
	count = int(order.Uint16(data[10:]))
	overflow := uint64(order.Uint32(data[12:]))
	if own != id || overflow >= b.pages-id {
		return nil, 0, 0, damaged("page %d is another", id)
	}
	for i := id; i <= id+overflow; i++ {
		if b.seen[i] {
			return nil, 0, 0, damaged("page %d is used twice", i)
		}
		b.seen[i] = true
	}
	if overflow > 0 {
		data = append(data, make([]byte, overflow*b.pageSize)...)
		if err := readAt(b.file, data[b.pageSize:], (id+1)*b.pageSize); err != nil {
			return nil, 0, 0, err
		}
	}
	return data, flags, count, nil
}

// span returns n bytes that begin pos bytes after an element at offset.
func span(data []byte, offset int, pos, n uint32) ([]byte, error) {
	from := uint64(offset) + uint64(pos)
	if to := from + uint64(n); to <= uint64(len(data)) {
		return data[from:to], nil
	}
	return nil, damaged("an element passes the end of its page")
}

type visitElement func(flags uint32, key, value []byte) error

// leaf visits the elements of a leaf, whose keys must rise from low (or start
// anywhere, if nil) and stay below high.
func leaf(data []byte, count int, low, high []byte, visit visitElement) error {
	if boltHeader+count*boltElement > len(data) {
		return damaged("a page with %d elements", count)
	}
	order := binary.NativeEndian
	for i := range count {
		at := boltHeader + i*boltElement
		pos, ksize, vsize := order.Uint32(data[at+4:]), order.Uint32(data[at+8:]), order.Uint32(data[at+12:])
		key, err := span(data, at, pos, ksize)
		if err != nil {
			return err
		}
		value, err := span(data, at, pos+ksize, vsize)
		if err != nil {
			return err
		}
		c := bytes.Compare(low, key)
		if ksize == 0 || c > 0 || c == 0 && i > 0 || high != nil && bytes.Compare(key, high) >= 0 {
			return damaged("keys out of order")
		}
		low = key
		if err := visit(order.Uint32(data[at:]), key, value); err != nil {
			return err
		}
	}
	return nil
}

// tree visits the leaves below a page in order.
func (b *boltFile) tree(id uint64, depth int, low, high []byte, visit visitElement) error {
	if depth > boltDepth {
		return damaged("a tree too deep")
	}
	data, flags, count, err := b.page(id)
	switch {
	case err != nil:
		return err
	case flags == leafPage:
		return leaf(data, count, low, high, visit)
	case flags != branchPage || count == 0 || boltHeader+count*boltElement > len(data):
		return damaged("page %d has no place in a tree", id)
	}
	order := binary.NativeEndian
	keys := make([][]byte, count+1)
	keys[count] = high
	for i := range count {
		at := boltHeader + i*boltElement
		if keys[i], err = span(data, at, order.Uint32(data[at:]), order.Uint32(data[at+4:])); err != nil {
			return err
		}
		before := low
		if i > 0 {
			before = keys[i-1]
		}
		c := bytes.Compare(before, keys[i])
		if len(keys[i]) == 0 || c > 0 || c == 0 && i > 0 || high != nil && bytes.Compare(keys[i], high) >= 0 {
			return damaged("keys out of order")
		}
	}
	for i := range count {
		at := boltHeader + i*boltElement
		if err := b.tree(order.Uint64(data[at+8:]), depth+1, keys[i], keys[i+1], visit); err != nil {
			return err
		}
	}
	return nil
}

// bucket visits the elements of a bucket, which is a tree of its own or, if it
// is small, a leaf within the value that stands for it.
func (b *boltFile) bucket(value []byte, visit visitElement) error {
	if len(value) < 16 {
		return damaged("a bucket of %d bytes", len(value))
	}
	order := binary.NativeEndian
	if root := order.Uint64(value); root != 0 {
		return b.tree(root, 0, nil, nil, visit)
	}
	inline := value[16:]
	if len(inline) < boltHeader || order.Uint16(inline[8:]) != leafPage {
		return damaged("a small bucket is no leaf")
	}
	return leaf(inline, int(order.Uint16(inline[10:])), nil, nil, visit)
}

// freelist checks the list of the pages that are in nobody's use.
func (b *boltFile) freelist(id uint64) error {
	data, flags, n, err := b.page(id)
	if err != nil {
		return err
	}
	order := binary.NativeEndian
	count, ids := uint64(n), data[boltHeader:]
	if count == 0xFFFF {
		count, ids = order.Uint64(ids), ids[8:]
	}
	if flags != freelistPage || count > uint64(len(ids))/8 {
		return damaged("the list of free pages is not one")
	}
	for i := range count {
		free := order.Uint64(ids[i*8:])
		if free < 2 || free >= b.pages || b.seen[free] {
			return damaged("page %d is free and in use", free)
		}
		b.seen[free] = true
	}
	return nil
}
