-- The click log: batches of clicks that are not applied yet, with a row for each. A
-- writer numbers its batches, so a batch that is sent twice has the same key.
CREATE TABLE IF NOT EXISTS lt_log (
  source         BINARY(16) NOT NULL, -- linktrack.Batch.Source
  seq            BIGINT     NOT NULL, -- linktrack.Batch.Seq
  kind           TINYINT    NOT NULL, -- the kind of data. 1: clicks, see linktrack.AppendClicks. 2: facts, see facts.go
  at             BIGINT     NOT NULL, -- the time of the oldest click or of the conversion; 0 if there is none
  clicks         INT        NOT NULL, -- the number of clicks; 0 for kind 2
  bytes          INT        NOT NULL, -- the length of data
  is_quarantined TINYINT    NOT NULL DEFAULT 0,
  data           MEDIUMBLOB NOT NULL,
  PRIMARY KEY (source, seq),
  KEY lt_log_size (is_quarantined, at, clicks, bytes)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The lease of the process that applies the log. lease_until is in seconds since 1970,
-- by the clock of the database. lease_steps changes with each step, so that every
-- UPDATE of the row changes it.
ALTER TABLE lt_roll
  ADD COLUMN lease_holder VARBINARY(16) NOT NULL DEFAULT '',
  ADD COLUMN lease_until  BIGINT        NOT NULL DEFAULT 0,
  ADD COLUMN lease_steps  BIGINT        NOT NULL DEFAULT 0;

-- The time at which the last batch of the source was applied; 0 if it is not known.
ALTER TABLE lt_source ADD COLUMN applied_at BIGINT NOT NULL DEFAULT 0;
