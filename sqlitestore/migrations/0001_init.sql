-- Texts are stored as UTF-8 in columns of bytes, which SQLite compares byte by byte. Times
-- are microseconds since 1970 in UTC; 0 means that there is no time. Tables are STRICT, so
-- that a text that is not bound as bytes is refused.

CREATE TABLE lt_account (
  id            INTEGER PRIMARY KEY AUTOINCREMENT,
  login         BLOB    NOT NULL,
  pass_hash     BLOB    NULL,
  type          BLOB    NOT NULL,
  email         BLOB    NOT NULL,
  hosts         BLOB    NOT NULL, -- JSON: null, or an array of names
  is_disabled   INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  session_epoch INTEGER NOT NULL DEFAULT 0, -- the number of times that all sessions were ended
  key_last_used INTEGER NOT NULL DEFAULT 0  -- linktrack.Day, of the account's own key
) STRICT;
CREATE UNIQUE INDEX lt_account_login ON lt_account (login);

-- Sessions that were ended one by one. A row may be deleted after until, when the
-- session would have ended anyway.
CREATE TABLE lt_ended_session (
  account_id INTEGER NOT NULL,
  session    BLOB    NOT NULL,
  until      INTEGER NOT NULL,
  PRIMARY KEY (account_id, session)
) STRICT, WITHOUT ROWID;
CREATE INDEX lt_ended_session_until ON lt_ended_session (until);

-- The keys of accounts, without their own ones: those are in lt_account. A login is
-- unique over both tables.
CREATE TABLE lt_key (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id INTEGER NOT NULL,
  login      BLOB    NOT NULL,
  pass_hash  BLOB    NULL,
  name       BLOB    NOT NULL,
  scope      BLOB    NOT NULL,
  created_at INTEGER NOT NULL,
  last_used  INTEGER NOT NULL DEFAULT 0 -- linktrack.Day
) STRICT;
CREATE UNIQUE INDEX lt_key_login   ON lt_key (login);
CREATE INDEX        lt_key_account ON lt_key (account_id);

CREATE TABLE lt_setting (
  name  BLOB NOT NULL PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Groups and tags are never renamed, so the rows of links have their names.
CREATE TABLE lt_group (
  account_id INTEGER NOT NULL,
  name_key   BLOB    NOT NULL, -- linktrack.GroupKey of the name
  name       BLOB    NOT NULL,
  PRIMARY KEY (account_id, name_key)
) STRICT, WITHOUT ROWID;

CREATE TABLE lt_tag (
  account_id INTEGER NOT NULL,
  name_key   BLOB    NOT NULL,
  name       BLOB    NOT NULL,
  PRIMARY KEY (account_id, name_key)
) STRICT, WITHOUT ROWID;

-- The links of each tag, for lists. lt_link.tags has the same.
CREATE TABLE lt_link_tag (
  account_id INTEGER NOT NULL,
  name_key   BLOB    NOT NULL,
  link_id    INTEGER NOT NULL,
  PRIMARY KEY (account_id, name_key, link_id)
) STRICT, WITHOUT ROWID;

-- There is an index for each sort of an account's links by a column of this table, so
-- that a list reads the index in order and stops at its limit. Each index ends with the
-- id, as all indexes do. Rows are written when links are created and edited, never by a
-- click.
CREATE TABLE lt_link (
  id                      INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id              INTEGER NOT NULL,
  host                    BLOB    NOT NULL,
  path_key                BLOB    NOT NULL, -- linktrack.Link.Key
  path                    BLOB    NOT NULL,
  external_url            BLOB    NOT NULL,
  url_head                BLOB    NOT NULL, -- the first 255 bytes of external_url
  title                   BLOB    NOT NULL,
  description             BLOB    NOT NULL,
  notes                   BLOB    NOT NULL,
  group_name              BLOB    NOT NULL, -- lt_group.name; empty without a group
  is_active               INTEGER NOT NULL,
  is_public               INTEGER NOT NULL,
  has_plus_tracking       INTEGER NOT NULL,
  has_public_tracking     INTEGER NOT NULL,
  has_conversion_tracking INTEGER NOT NULL,
  has_alert_email         INTEGER NOT NULL,
  has_public_revenue      INTEGER NOT NULL,
  forward_query           INTEGER NOT NULL,
  password_hash           BLOB    NULL,
  alert_at                INTEGER NOT NULL,
  expires_at              INTEGER NOT NULL,
  created_at              INTEGER NOT NULL,
  external_id             BLOB    NULL,     -- unique within the account; NULL if there is none
  tags                    BLOB    NOT NULL, -- the names of the tags in the order of their keys, with bytes of 255 between them
  is_archived             INTEGER NOT NULL,
  starts_at               INTEGER NOT NULL,
  fallback_url            BLOB    NOT NULL,
  confirm                 BLOB    NOT NULL,
  deleted_at              INTEGER NOT NULL,
  is_purging              INTEGER NOT NULL DEFAULT 0, -- 1 once the purge of the link has begun
  list_kind               INTEGER NOT NULL, -- 0: usual, 1: archived, 2: deleted
  uncounted               INTEGER NOT NULL DEFAULT 0 -- 1: the link is not in lt_link_number
) STRICT;
CREATE UNIQUE INDEX lt_link_path      ON lt_link (host, path_key);
CREATE UNIQUE INDEX lt_link_external  ON lt_link (account_id, external_id);
CREATE INDEX        lt_link_account   ON lt_link (account_id, list_kind);
CREATE INDEX        lt_link_created   ON lt_link (account_id, list_kind, created_at);
CREATE INDEX        lt_link_key       ON lt_link (account_id, list_kind, path_key);
CREATE INDEX        lt_link_title     ON lt_link (account_id, list_kind, title);
CREATE INDEX        lt_link_url       ON lt_link (account_id, list_kind, url_head);
CREATE INDEX        lt_link_group     ON lt_link (account_id, list_kind, group_name);
CREATE INDEX        lt_link_host      ON lt_link (account_id, list_kind, host);
CREATE INDEX        lt_link_state     ON lt_link (account_id, list_kind, is_active, expires_at, starts_at);
CREATE INDEX        lt_link_uncounted ON lt_link (account_id, list_kind) WHERE uncounted = 1;

-- Names that lt_link does not have, or does not have any more, and that are not free. With a
-- link_id, the name is a former path of that link, and leads to it. With the link_id 0, the
-- name is reserved for the account, because its link was purged. The row of a former path
-- stays when the link gets the name back: a look-up reads lt_link first.
CREATE TABLE lt_former (
  host       BLOB    NOT NULL,
  path_key   BLOB    NOT NULL,
  link_id    INTEGER NOT NULL,
  account_id INTEGER NOT NULL, -- the link's
  PRIMARY KEY (host, path_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX lt_former_link    ON lt_former (link_id);
CREATE INDEX lt_former_account ON lt_former (account_id, link_id);

-- It finds deleted links, of all accounts, in the order of their deletion.
CREATE INDEX lt_link_deleted ON lt_link (deleted_at) WHERE deleted_at > 0;

-- How many counted links an account has in each list.
CREATE TABLE lt_link_number (
  account_id INTEGER NOT NULL,
  list_kind  INTEGER NOT NULL,
  links      INTEGER NOT NULL,
  PRIMARY KEY (account_id, list_kind)
) STRICT, WITHOUT ROWID;

-- The counts of links, and the limit. They are apart from lt_link, whose rows are large. A
-- row is created with its link.
CREATE TABLE lt_count (
  link_id       INTEGER PRIMARY KEY,
  account_id    INTEGER NOT NULL,
  total         INTEGER NOT NULL DEFAULT 0,
  uniques       INTEGER NOT NULL DEFAULT 0,
  bots          INTEGER NOT NULL DEFAULT 0,
  conversions   INTEGER NOT NULL DEFAULT 0,
  used          INTEGER NOT NULL DEFAULT 0,
  deactivate_at INTEGER NOT NULL DEFAULT 0,
  last_click    INTEGER NOT NULL DEFAULT 0,
  alert_at      INTEGER NOT NULL DEFAULT 0, -- a copy of lt_link.alert_at
  is_deleted    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX lt_count_limit ON lt_count (account_id, deactivate_at) WHERE deactivate_at > 0;

-- The columns by which links are sorted and which clicks change. They are written together
-- with the roll-ups, so they agree with lt_hour.
CREATE TABLE lt_rank (
  link_id    INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  list_kind  INTEGER NOT NULL DEFAULT 0,
  recent     INTEGER NOT NULL DEFAULT 0, -- the sum of lt_hour since lt_roll.from_hour
  total      INTEGER NOT NULL DEFAULT 0,
  last_click INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX lt_rank_recent ON lt_rank (account_id, list_kind, recent);
CREATE INDEX lt_rank_total  ON lt_rank (account_id, list_kind, total);
CREATE INDEX lt_rank_last   ON lt_rank (account_id, list_kind, last_click);

CREATE TABLE lt_hour (
  link_id INTEGER NOT NULL,
  hour    INTEGER NOT NULL, -- whole hours since 1970 in UTC
  clicks  INTEGER NOT NULL, -- of people
  uniques INTEGER NOT NULL,
  bots    INTEGER NOT NULL,
  PRIMARY KEY (link_id, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX lt_hour_hour ON lt_hour (hour, link_id);

-- The roll-ups of links by day, and those of accounts, groups, and tags.
CREATE TABLE lt_day (
  link_id INTEGER NOT NULL,
  day     INTEGER NOT NULL, -- linktrack.Day
  data    BLOB    NOT NULL, -- linktrack.Rollup as JSON
  PRIMARY KEY (link_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE lt_sum (
  account_id INTEGER NOT NULL,
  kind       INTEGER NOT NULL, -- 1: the account. 2: a group. 3: a tag
  name_key   BLOB    NOT NULL, -- linktrack.GroupKey of the group or tag; empty for the account
  day        INTEGER NOT NULL,
  data       BLOB    NOT NULL,
  PRIMARY KEY (account_id, kind, name_key, day)
) STRICT, WITHOUT ROWID;

-- The click log: batches of clicks that are not applied yet, with a row for each.
CREATE TABLE lt_log (
  source         BLOB    NOT NULL, -- linktrack.Batch.Source
  seq            INTEGER NOT NULL, -- linktrack.Batch.Seq
  kind           INTEGER NOT NULL, -- the kind of data. 1: clicks, see linktrack.AppendClicks. 2: facts
  at             INTEGER NOT NULL, -- the time of the oldest click or of the conversion; 0 if there is none
  clicks         INTEGER NOT NULL, -- the number of clicks; 0 for kind 2
  bytes          INTEGER NOT NULL, -- the length of data
  is_quarantined INTEGER NOT NULL DEFAULT 0,
  data           BLOB    NOT NULL,
  PRIMARY KEY (source, seq)
) STRICT;
CREATE INDEX lt_log_size ON lt_log (is_quarantined, at, clicks, bytes);

-- The mark of each source: the last batch that was applied, and when.
CREATE TABLE lt_source (
  source     BLOB    NOT NULL PRIMARY KEY,
  seq        INTEGER NOT NULL,
  applied_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- It has one row: from where on lt_rank.recent counts, and the lease of the process that
-- applies the log. lease_until is in seconds since 1970.
CREATE TABLE lt_roll (
  id           INTEGER PRIMARY KEY,
  from_hour    INTEGER NOT NULL,
  lease_holder BLOB    NOT NULL,
  lease_until  INTEGER NOT NULL,
  lease_steps  INTEGER NOT NULL
) STRICT;
INSERT INTO lt_roll (id, from_hour, lease_holder, lease_until, lease_steps) VALUES (1, 0, x'', 0, 0);

-- The history, in the order in which clicks were applied. lt_hit_id finds the clicks of a
-- day, to remove them.
CREATE TABLE lt_hit (
  link_id       INTEGER NOT NULL,
  id            BLOB    NOT NULL, -- linktrack.ClickID, which begins with the time
  ip            BLOB    NOT NULL DEFAULT x'', -- 4 or 16 bytes; empty if it is not known
  agent_id      BLOB    NOT NULL DEFAULT x'', -- lt_text.id; empty: user_agent, browser and platform are here
  referrer_id   BLOB    NOT NULL DEFAULT x'', -- lt_text.id; empty: referrer and referrer_host are here
  referrer      BLOB    NOT NULL DEFAULT x'', -- with a referrer_id: what follows the text of that row
  referrer_host BLOB    NOT NULL DEFAULT x'',
  user_agent    BLOB    NOT NULL DEFAULT x'',
  browser       BLOB    NOT NULL DEFAULT x'',
  platform      BLOB    NOT NULL DEFAULT x'',
  country       BLOB    NOT NULL DEFAULT x'',
  query         BLOB    NOT NULL DEFAULT x'',
  is_unique     INTEGER NOT NULL DEFAULT 0,
  is_bot        INTEGER NOT NULL DEFAULT 0,
  class         INTEGER NOT NULL DEFAULT 0,
  reason        INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (link_id, id)
) STRICT;
CREATE INDEX lt_hit_id ON lt_hit (id);

-- Texts that many clicks of a day (UTC) have, once for the day: a user agent with its
-- browser and platform, or a referrer, or the beginning of one, with its host.
CREATE TABLE lt_text (
  day      INTEGER NOT NULL, -- days since 1970
  id       BLOB    NOT NULL, -- a hash of the texts with a secret key, lt_setting 'text_key'
  text     BLOB    NOT NULL, -- the user agent, or the beginning of the referrer
  host     BLOB    NOT NULL,
  browser  BLOB    NOT NULL,
  platform BLOB    NOT NULL,
  PRIMARY KEY (day, id)
) STRICT, WITHOUT ROWID;

-- A row stays when its alert is delivered, so that the alert is not created again. due is
-- 0 until the first lease, and the largest integer after the delivery.
CREATE TABLE lt_alert (
  link_id INTEGER NOT NULL,
  kind    BLOB    NOT NULL, -- linktrack.AlertKind
  number  INTEGER NOT NULL, -- the number of people that was reached
  reached INTEGER NOT NULL,
  due     INTEGER NOT NULL DEFAULT 0,
  tries   INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (link_id, kind, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX lt_alert_due ON lt_alert (due);

-- Conversions. A click and an order are counted once. Rows are kept when the history is
-- pruned.
CREATE TABLE lt_conversion (
  link_id    INTEGER NOT NULL,
  click_id   BLOB    NOT NULL, -- linktrack.ClickID
  account_id INTEGER NOT NULL, -- of the link
  order_id   BLOB    NULL,     -- unique within the account; NULL if there is none
  value      INTEGER NOT NULL, -- in ten-thousandths of the currency's unit
  currency   BLOB    NOT NULL, -- ISO 4217; empty if there is none
  created_at INTEGER NOT NULL, -- the time of the conversion
  is_trusted INTEGER NOT NULL,
  day        INTEGER NULL,     -- those of the roll-up that has the conversion
  hour       INTEGER NULL,
  PRIMARY KEY (link_id, click_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX lt_conversion_order ON lt_conversion (account_id, order_id);
