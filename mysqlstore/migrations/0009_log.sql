-- The click log: batches of clicks that are not applied yet, a row for each. A
-- sender numbers its batches, so its key shows that a batch is sent again.
CREATE TABLE IF NOT EXISTS lt_log (
  source         BINARY(16) NOT NULL, -- linktrack.Batch.Source
  seq            BIGINT     NOT NULL, -- linktrack.Batch.Seq
  kind           TINYINT    NOT NULL, -- of data: 1 linktrack.AppendClicks, 2 sums of conversions, and those of lt_pending
  at             BIGINT     NOT NULL, -- when the oldest of the clicks was made; 0: there is none
  clicks         INT        NOT NULL, -- their number, of kind 1
  bytes          INT        NOT NULL, -- the length of data
  is_quarantined TINYINT    NOT NULL DEFAULT 0,
  data           MEDIUMBLOB NOT NULL,
  PRIMARY KEY (source, seq),
  KEY lt_log_size (is_quarantined, at, clicks, bytes)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The process that applies the log. lease_until is in seconds since 1970, by the
-- database's clock.
ALTER TABLE lt_roll
  ADD COLUMN lease_holder VARBINARY(16) NOT NULL DEFAULT '',
  ADD COLUMN lease_until  BIGINT        NOT NULL DEFAULT 0,
  ADD COLUMN lease_steps  BIGINT        NOT NULL DEFAULT 0;

-- When the last batch of the source was applied; 0: not known.
ALTER TABLE lt_source ADD COLUMN applied_at BIGINT NOT NULL DEFAULT 0;
