package journal

// The quarantine is a separate log. The position says which of its clicks count, and is
// written at once. So at every moment a batch is either in flight or in the quarantine,
// even if the process crashes.

// Quarantine implements [linktrack.Journal]. After an error it may be called
// again: it quarantines no batch other than the one that Next returned.
func (j *Journal) Quarantine() error {
	j.draining.Lock()
	defer j.draining.Unlock()
	p, head, err := j.state()
	if err != nil {
		return err
	}
	if j.returned == 0 {
		return errNoBatch
	}
	if j.copied != p.seq {
		if err := j.copyToQuarantine(p, head); err != nil {
			return err
		}
	}
	p.head, p.quarantineEnd = p.flightEnd, j.copyEnd
	if err := j.save(p); err != nil {
		return err // the copy is kept, because the disk may have the new position nevertheless
	}
	j.set(j.position, j.flight)
	j.returned, j.copied = 0, 0
	return nil
}

// copyToQuarantine copies the batch in flight behind the end of the quarantine.
func (j *Journal) copyToQuarantine(p position, head place) error {
	j.quarantine.rewind(p.quarantineEnd) // removes a copy that an earlier call made
	c := collector{log: j.clicks, from: p.head, to: p.flightEnd, limit: maxUint64}
	if err := j.clicks.walk(head, p.head, p.flightEnd, c.visit); err != nil {
		return err
	}
	parts, _ := split(c.clicks)
	if err := j.quarantine.append(parts); err != nil {
		return err
	}
	j.copied, j.copyEnd = p.seq, j.quarantine.next()
	return nil
}

// rewind makes all clicks from a number on invalid: the next group begins a segment whose
// base is that number.
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

// requeueStep is the maximum number of bytes of records that are requeued in one step.
const requeueStep = 4 << 20

// Requeue implements [linktrack.Journal]. It works in steps: after an error or a
// crash, some of the clicks may be requeued, and the others are still in the quarantine.
// The number that it returns counts the requeued ones.
func (j *Journal) Requeue() (clicks int, err error) {
	j.draining.Lock()
	defer j.draining.Unlock()
	if _, _, err := j.state(); err != nil {
		return 0, err
	}
	for j.position.quarantineHead < j.position.quarantineEnd {
		n, err := j.requeue(nil)
		clicks += n
		if err != nil {
			return clicks, err
		}
	}
	return clicks, nil
}

// requeue appends some records of the quarantine to the clicks. If a crash comes before
// the new position is saved, these records are in both logs. load then finds them by their
// origins, and calls requeue with these origins as present, which skips the records.
func (j *Journal) requeue(present map[uint64]bool) (clicks int, err error) {
	p := j.position
	var parts []part
	var size int64
	end := p.quarantineEnd
	err = j.quarantine.walk(place{}, p.quarantineHead, p.quarantineEnd, func(r *record, _ place) (bool, error) {
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
	p.quarantineHead = end
	j.set(p, j.head)
	return clicks, j.save(p)
}
