-- Text is stored as UTF-8 in binary columns. So MySQL and MariaDB both compare it
-- byte by byte and sort it by code point (their common utf8mb4_bin treats "a" and
-- "a " as equal), and no connection charset can change it. Times are
-- microseconds since 1970 in UTC; 0 means that there is no time.

CREATE TABLE IF NOT EXISTS lt_account (
  id          BIGINT          NOT NULL AUTO_INCREMENT,
  login       VARBINARY(400)  NOT NULL,
  pass_hash   VARBINARY(255)  NULL,
  type        VARBINARY(255)  NOT NULL,
  email       VARBINARY(1020) NOT NULL,
  hosts       BLOB            NOT NULL, -- JSON: null, or an array of names
  is_disabled TINYINT         NOT NULL,
  created_at  BIGINT          NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY lt_account_login (login)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS lt_setting (
  name  VARBINARY(64)   NOT NULL,
  value VARBINARY(1024) NOT NULL,
  PRIMARY KEY (name)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- A group is never renamed or removed, so the rows of links have its name.
CREATE TABLE IF NOT EXISTS lt_group (
  account_id BIGINT          NOT NULL,
  name_key   VARBINARY(1020) NOT NULL, -- linktrack.GroupKey of the name
  name       VARBINARY(1020) NOT NULL,
  PRIMARY KEY (account_id, name_key)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- There is an index for each sort of an account's links by a column of this table,
-- so that a list reads the index in order and stops at its limit. The destination
-- is too long for an index, so only its first 255 bytes are in one. Rows are
-- written when links are created and edited, never by a click.
CREATE TABLE IF NOT EXISTS lt_link (
  id                      BIGINT          NOT NULL AUTO_INCREMENT,
  account_id              BIGINT          NOT NULL,
  host                    VARBINARY(255)  NOT NULL,
  path_key                VARBINARY(128)  NOT NULL, -- linktrack.Link.Key
  path                    VARBINARY(128)  NOT NULL,
  external_url            VARBINARY(4096) NOT NULL,
  url_head                VARBINARY(255)  NOT NULL, -- the first bytes of external_url
  title                   VARBINARY(1020) NOT NULL,
  description             VARBINARY(8000) NOT NULL,
  notes                   BLOB            NOT NULL,
  group_name              VARBINARY(1020) NOT NULL, -- lt_group.name; '' without a group
  is_active               TINYINT         NOT NULL,
  is_public               TINYINT         NOT NULL,
  has_plus_tracking       TINYINT         NOT NULL,
  has_public_tracking     TINYINT         NOT NULL,
  has_conversion_tracking TINYINT         NOT NULL,
  has_alert_email         TINYINT         NOT NULL,
  forward_query           TINYINT         NOT NULL,
  password_hash           VARBINARY(255)  NULL,
  alert_at                BIGINT          NOT NULL,
  expires_at              BIGINT          NOT NULL,
  created_at              BIGINT          NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY lt_link_path (host, path_key),
  KEY lt_link_account (account_id, id),
  KEY lt_link_created (account_id, created_at, id),
  KEY lt_link_key     (account_id, path_key, id),
  KEY lt_link_title   (account_id, title, id),
  KEY lt_link_url     (account_id, url_head, id),
  KEY lt_link_group   (account_id, group_name, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The counts of links, and the limit. They are apart from lt_link, whose rows are
-- large. A row is created with its link. The two indexes are for the sorts by total
-- and by last click, until lt_rank replaces them. Their values change in steps of
-- 4 % and of a minute, so that few clicks change the indexes.
CREATE TABLE IF NOT EXISTS lt_count (
  link_id       BIGINT NOT NULL,
  account_id    BIGINT NOT NULL,
  total         BIGINT NOT NULL DEFAULT 0,
  uniques       BIGINT NOT NULL DEFAULT 0,
  bots          BIGINT NOT NULL DEFAULT 0,
  conversions   BIGINT NOT NULL DEFAULT 0,
  used          BIGINT NOT NULL DEFAULT 0,
  deactivate_at BIGINT NOT NULL DEFAULT 0,
  last_click    BIGINT NOT NULL DEFAULT 0,
  total_step    INT AS (FLOOR(16 * LOG2(total + 1))) STORED,
  last_minute   INT AS (last_click DIV 60000000) STORED,
  PRIMARY KEY (link_id),
  KEY lt_count_total (account_id, total_step, link_id),
  KEY lt_count_last  (account_id, last_minute, link_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

CREATE TABLE IF NOT EXISTS lt_hour (
  link_id BIGINT NOT NULL,
  hour    INT    NOT NULL, -- whole hours since 1970 in UTC
  clicks  BIGINT NOT NULL, -- of people
  uniques BIGINT NOT NULL,
  bots    BIGINT NOT NULL,
  PRIMARY KEY (link_id, hour),
  KEY lt_hour_hour (hour, link_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The history, clustered by link and time. The code creates the partitions:
-- p20260122 has the clicks of that day (UTC). The first partition also has all
-- clicks before its own day.
CREATE TABLE IF NOT EXISTS lt_click (
  link_id       BIGINT          NOT NULL,
  id            BINARY(16)      NOT NULL, -- linktrack.ClickID, which begins with the time
  ip            VARBINARY(16)   NOT NULL, -- 4 or 16 bytes; '' if it is not known
  referrer      VARBINARY(8192) NOT NULL,
  referrer_host VARBINARY(1020) NOT NULL,
  user_agent    VARBINARY(4096) NOT NULL,
  browser       VARBINARY(1020) NOT NULL,
  platform      VARBINARY(1020) NOT NULL,
  query         VARBINARY(8192) NOT NULL,
  is_unique     TINYINT         NOT NULL,
  is_bot        TINYINT         NOT NULL,
  PRIMARY KEY (link_id, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC
PARTITION BY RANGE COLUMNS (id) (PARTITION p_later VALUES LESS THAN (MAXVALUE));

CREATE TABLE IF NOT EXISTS lt_source (
  source BINARY(16) NOT NULL,
  seq    BIGINT     NOT NULL, -- of the last batch that was applied
  PRIMARY KEY (source)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
