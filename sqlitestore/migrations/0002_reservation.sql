-- The last reservation of each source that took something from a link with a limit. If the
-- source repeats it because it did not get the answer, it gets the same answer, and nothing
-- is taken again. A row is deleted when its source has made no reservation for some days.
--
-- IF NOT EXISTS, here and in 0003: some development versions made these tables with 0001.
CREATE TABLE IF NOT EXISTS lt_reservation (
  link_id INTEGER NOT NULL,
  source  BLOB    NOT NULL, -- linktrack.Reservation.Source
  seq     INTEGER NOT NULL, -- linktrack.Reservation.Seq
  people  INTEGER NOT NULL, -- how many were granted
  day     INTEGER NOT NULL, -- when the day (UTC) of the reservation began, in seconds since 1970
  PRIMARY KEY (link_id, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lt_reservation_day ON lt_reservation (day);
