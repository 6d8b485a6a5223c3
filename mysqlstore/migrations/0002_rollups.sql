-- Where a click came from, by the network.
ALTER TABLE lt_click ADD COLUMN country VARBINARY(8) NOT NULL DEFAULT '';

-- What clicks add to the roll-ups, batch by batch as they were recorded, until
-- it is worked in. Only this is written with each batch.
CREATE TABLE IF NOT EXISTS lt_pending (
  id        BIGINT     NOT NULL AUTO_INCREMENT,
  last_link BIGINT     NOT NULL, -- the highest lt_link.id of the facts
  facts     MEDIUMBLOB NOT NULL,
  PRIMARY KEY (id),
  KEY lt_pending_link (last_link)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- One row. Who works the pending facts in holds it.
CREATE TABLE IF NOT EXISTS lt_roll (
  id        TINYINT NOT NULL,
  from_hour INT     NOT NULL, -- where lt_recent begins, whole hours since 1970 in UTC
  PRIMARY KEY (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The sums of lt_hour since lt_roll.from_hour, a row for each link, for the
-- sort by the clicks of the last day.
CREATE TABLE IF NOT EXISTS lt_recent (
  link_id    BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  clicks     BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (link_id),
  KEY lt_recent_clicks (account_id, clicks, link_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The roll-ups by day.
CREATE TABLE IF NOT EXISTS lt_day (
  link_id BIGINT     NOT NULL,
  day     INT        NOT NULL, -- linktrack.Day
  data    MEDIUMBLOB NOT NULL, -- linktrack.Rollup as JSON
  PRIMARY KEY (link_id, day)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- Not from the first hour on where there are any: who moved it to the last day
-- then would have to take all that was ever counted out of lt_recent, in one go.
INSERT IGNORE INTO lt_roll (id, from_hour)
  SELECT 1, IF(EXISTS (SELECT 1 FROM lt_hour), UNIX_TIMESTAMP() DIV 3600 - 24, 0);

INSERT IGNORE INTO lt_recent (link_id, account_id, clicks)
  SELECT link_id, account_id, COALESCE((SELECT SUM(clicks) FROM lt_hour h
    WHERE h.link_id = c.link_id AND h.hour >= (SELECT from_hour FROM lt_roll WHERE id = 1)), 0) FROM lt_count c;
