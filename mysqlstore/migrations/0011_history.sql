-- The history, clustered by link and time. It replaces lt_click, which keeps the clicks
-- that it has until their days are pruned, and those that processes of the version before
-- write. The partitions are those of lt_click. A text that occurs often on a day is a
-- row of lt_text, and the click has the id of that row; other texts are here.
CREATE TABLE IF NOT EXISTS lt_hit (
  link_id       BIGINT          NOT NULL,
  id            BINARY(16)      NOT NULL, -- linktrack.ClickID, which begins with the time
  ip            VARBINARY(16)   NOT NULL DEFAULT '', -- 4 or 16 bytes; '' if it is not known
  agent_id      VARBINARY(12)   NOT NULL DEFAULT '', -- lt_text.id; '': user_agent, browser and platform are here
  referrer_id   VARBINARY(12)   NOT NULL DEFAULT '', -- lt_text.id; '': referrer and referrer_host are here
  referrer      VARBINARY(8192) NOT NULL DEFAULT '', -- with a referrer_id: what follows the text of that row
  referrer_host VARBINARY(1020) NOT NULL DEFAULT '',
  user_agent    VARBINARY(4096) NOT NULL DEFAULT '',
  browser       VARBINARY(1020) NOT NULL DEFAULT '',
  platform      VARBINARY(1020) NOT NULL DEFAULT '',
  country       VARBINARY(8)    NOT NULL DEFAULT '',
  query         VARBINARY(8192) NOT NULL DEFAULT '',
  is_unique     TINYINT         NOT NULL DEFAULT 0,
  is_bot        TINYINT         NOT NULL DEFAULT 0,
  class         TINYINT         NOT NULL DEFAULT 0,
  reason        TINYINT         NOT NULL DEFAULT 0,
  PRIMARY KEY (link_id, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
PARTITION BY RANGE COLUMNS (id) (PARTITION p_later VALUES LESS THAN (MAXVALUE));

-- Texts that many clicks of a day (UTC) have, once for the day: a user agent with its
-- browser and platform, or a referrer, or the beginning of one, with its host. The
-- code creates a partition for each day.
CREATE TABLE IF NOT EXISTS lt_text (
  day      INT             NOT NULL, -- days since 1970
  id       BINARY(12)      NOT NULL, -- a hash of the texts with a secret key, lt_setting 'text_key'
  text     VARBINARY(8192) NOT NULL, -- the user agent, or the beginning of the referrer
  host     VARBINARY(1020) NOT NULL,
  browser  VARBINARY(1020) NOT NULL,
  platform VARBINARY(1020) NOT NULL,
  PRIMARY KEY (day, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
PARTITION BY RANGE COLUMNS (day) (PARTITION p_later VALUES LESS THAN (MAXVALUE));
