-- The country of a click, by its IP address.
ALTER TABLE lt_click ADD COLUMN country VARBINARY(8) NOT NULL DEFAULT '';

-- The facts of each batch of clicks that are not yet added to the roll-ups. A
-- batch writes only this table; the roll-ups are written later.
CREATE TABLE IF NOT EXISTS lt_pending (
  id        BIGINT     NOT NULL AUTO_INCREMENT,
  last_link BIGINT     NOT NULL, -- the highest lt_link.id in facts
  facts     MEDIUMBLOB NOT NULL,
  PRIMARY KEY (id),
  KEY lt_pending_link (last_link)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- It has one row, which a process locks while it adds pending facts to the roll-ups.
CREATE TABLE IF NOT EXISTS lt_roll (
  id        TINYINT NOT NULL,
  from_hour INT     NOT NULL, -- the first hour that lt_recent counts, in hours since 1970 in UTC
  PRIMARY KEY (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The sums of lt_hour since lt_roll.from_hour, with a row for each link. They are for
-- the sort by the clicks of the last day.
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

-- If there are hours, from_hour is 24 hours ago. With 0, the next step would have to
-- subtract all clicks that were ever counted from lt_recent at once.
INSERT IGNORE INTO lt_roll (id, from_hour)
  SELECT 1, IF(EXISTS (SELECT 1 FROM lt_hour), UNIX_TIMESTAMP() DIV 3600 - 24, 0);

INSERT IGNORE INTO lt_recent (link_id, account_id, clicks)
  SELECT link_id, account_id, COALESCE((SELECT SUM(clicks) FROM lt_hour h
    WHERE h.link_id = c.link_id AND h.hour >= (SELECT from_hour FROM lt_roll WHERE id = 1)), 0) FROM lt_count c;
