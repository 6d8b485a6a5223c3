-- What the statement needs that finds out which links a batch of clicks
-- brought to a number: beside deactivate_at a copy of lt_link.alert_at, and
-- how many people's clicks the batch added that counted last.
ALTER TABLE lt_count
  ADD COLUMN alert_at BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN added    BIGINT NOT NULL DEFAULT 0;

UPDATE lt_count c JOIN lt_link l ON l.id = c.link_id SET c.alert_at = l.alert_at
WHERE c.alert_at <> l.alert_at;

-- Alerts stay here when they are delivered, so that none is made again. due is
-- 0 until the first lease, and the largest BIGINT once it is delivered.
CREATE TABLE IF NOT EXISTS lt_alert (
  link_id BIGINT        NOT NULL,
  kind    VARBINARY(32) NOT NULL, -- linktrack.AlertKind
  number  BIGINT        NOT NULL, -- that was reached
  reached BIGINT        NOT NULL,
  due     BIGINT        NOT NULL DEFAULT 0,
  tries   INT           NOT NULL DEFAULT 0,
  PRIMARY KEY (link_id, kind, number),
  KEY lt_alert_due (due)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
