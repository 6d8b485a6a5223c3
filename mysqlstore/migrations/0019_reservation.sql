-- The last reservation of each source that took something from a link with a limit. If the
-- source repeats it because it did not get the answer, it gets the same answer, and nothing
-- is taken again. A row is deleted when its source has made no reservation for some days.
CREATE TABLE IF NOT EXISTS lt_reservation (
  link_id BIGINT     NOT NULL,
  source  BINARY(16) NOT NULL, -- linktrack.Reservation.Source
  seq     BIGINT     NOT NULL, -- linktrack.Reservation.Seq
  people  BIGINT     NOT NULL, -- how many were granted
  day     BIGINT     NOT NULL, -- when the day (UTC) of the reservation began, in seconds since 1970
  PRIMARY KEY (link_id, source),
  KEY lt_reservation_day (day)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
