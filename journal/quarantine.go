package journal

// The quarantine is a log of its own. The position says which of its clicks count.
// So a batch is in flight or in the quarantine, and never in both, whenever a crash
// comes.

// Quarantine implements [linktrack.Journal]. After an error it may be called
// again: it never takes another batch than the one that Next returned.
func (j *Journal) Quarantine() error {
	j.draining.Lock()
	defer j.draining.Unlock()
	p, head, err := j.state()
	if err != nil {
		return err
	}
	if j.given == 0 {
		return errNoBatch
	}
	if j.copied != p.seq {
		if err := j.copyAside(p, head); err != nil {
			return err
		}
	}
	p.head, p.asideEnd = p.flightEnd, j.copyEnd
	if err := j.save(p); err != nil {
		return err // the position on the disk may say it nevertheless, so the copy stays
	}
	j.set(j.position, j.flight)
	j.given, j.copied = 0, 0
	return nil
}

// copyAside copies the batch in flight behind the end of the quarantine.
func (j *Journal) copyAside(p position, head place) error {
	j.aside.rewind(p.asideEnd) // what stands there is of an earlier try
	c := collector{log: j.clicks, from: p.head, to: p.flightEnd, limit: maxUint64}
	if err := j.clicks.walk(head, p.head, p.flightEnd, c.visit); err != nil {
		return err
	}
	parts, _ := split(c.clicks)
	if err := j.aside.append(parts); err != nil {
		return err
	}
	j.copied, j.copyEnd = p.seq, j.aside.next()
	return nil
}

// rewind makes clicks from a number on count no more: the next group begins a
// segment with that number.
func (l *log) rewind(to uint64) {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tail == to {
		return
	}
	l.tail = to
	_ = l.end()
}

// requeueStep is how many bytes of records are requeued together.
const requeueStep = 4 << 20

// Requeue implements [linktrack.Journal]. It works in steps: after an error or a
// crash, some clicks may be requeued, as many as it says, and the others are still
// in the quarantine.
func (j *Journal) Requeue() (clicks int, err error) {
	j.draining.Lock()
	defer j.draining.Unlock()
	if _, _, err := j.state(); err != nil {
		return 0, err
	}
	for j.position.asideHead < j.position.asideEnd {
		n, err := j.requeue(nil)
		clicks += n
		if err != nil {
			return clicks, err
		}
	}
	return clicks, nil
}

// requeue appends some records of the quarantine to the clicks. A crash before the
// position says so leaves these in both logs. Then load finds them by their origin,
// and requeue is called with the origins of those that there are.
func (j *Journal) requeue(present map[uint64]bool) (clicks int, err error) {
	p := j.position
	var parts []part
	var size int64
	end := p.asideEnd
	err = j.aside.walk(place{}, p.asideHead, p.asideEnd, func(r *record, _ place) (bool, error) {
		if size += r.length; len(parts) > 0 && size > requeueStep {
			end = r.number
			return false, nil
		}
		if !present[r.number+1] {
			record := append(make([]byte, recordHead, recordHead+len(r.clicks)), r.clicks...)
			parts = append(parts, part{count: int(r.count), origin: r.number + 1, record: record})
			clicks += int(r.count)
		}
		return true, nil
	})
	if err != nil {
		return 0, err
	}
	if len(parts) > 0 {
		if err := j.clicks.append(parts); err != nil {
			return 0, err
		}
	}
	p.asideHead = end
	j.set(p, j.head)
	return clicks, j.save(p)
}
