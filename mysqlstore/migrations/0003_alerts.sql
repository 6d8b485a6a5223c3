-- With these columns, one statement finds the links that a batch of clicks brought
-- to a number: alert_at is a copy of lt_link.alert_at, and added is the number of
-- people's clicks in the last batch that was counted.
ALTER TABLE lt_count
  ADD COLUMN alert_at BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN added    BIGINT NOT NULL DEFAULT 0;

UPDATE lt_count c JOIN lt_link l ON l.id = c.link_id SET c.alert_at = l.alert_at
WHERE c.alert_at <> l.alert_at;

-- A row stays when its alert is delivered, so that the alert is not created again.
-- due is 0 until the first lease, and the largest BIGINT after the delivery.
CREATE TABLE IF NOT EXISTS lt_alert (
  link_id BIGINT        NOT NULL,
  kind    VARBINARY(32) NOT NULL, -- linktrack.AlertKind
  number  BIGINT        NOT NULL, -- the number of people that was reached
  reached BIGINT        NOT NULL,
  due     BIGINT        NOT NULL DEFAULT 0,
  tries   INT           NOT NULL DEFAULT 0,
  PRIMARY KEY (link_id, kind, number),
  KEY lt_alert_due (due)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
