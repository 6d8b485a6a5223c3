-- The columns by which links are sorted and which clicks change, with a row for each
-- link. They are apart from lt_count, so that counting a batch of clicks changes no
-- index. They are written together with the roll-ups, so they agree with lt_hour.
CREATE TABLE IF NOT EXISTS lt_rank (
  link_id    BIGINT NOT NULL,
  account_id BIGINT NOT NULL,
  recent     BIGINT NOT NULL DEFAULT 0, -- the sum of lt_hour since lt_roll.from_hour
  total      BIGINT NOT NULL DEFAULT 0,
  last_click BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (link_id),
  KEY lt_rank_recent (account_id, recent, link_id),
  KEY lt_rank_total  (account_id, total, link_id),
  KEY lt_rank_last   (account_id, last_click, link_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

INSERT IGNORE INTO lt_rank (link_id, account_id, recent, total, last_click)
  SELECT c.link_id, c.account_id, COALESCE(SUM(IF(h.hour >= r.from_hour, h.clicks, 0)), 0), COALESCE(SUM(h.clicks), 0), c.last_click
  FROM lt_count c JOIN lt_roll r LEFT JOIN lt_hour h ON h.link_id = c.link_id
  GROUP BY c.link_id, c.account_id, c.last_click;

DROP TABLE IF EXISTS lt_recent;

ALTER TABLE lt_count DROP KEY lt_count_total;
ALTER TABLE lt_count DROP KEY lt_count_last;
ALTER TABLE lt_count DROP COLUMN total_step;
ALTER TABLE lt_count DROP COLUMN last_minute;
