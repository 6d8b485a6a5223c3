-- list_kind says in which list a link is. 0: the usual one, 1: the archived links, 2: the
-- deleted links. The indexes of the sorts have it, so that a list reads no links of others.
-- lt_link_host and lt_link_state are for lists of a part of the links.
--
-- lt_link_number has the numbers of links. Links are uncounted if a process of an older
-- version made them, which does not write that table. Links that are there before have
-- the first default, which is 0, and are counted here.
ALTER TABLE lt_link
  ADD COLUMN list_kind TINYINT NOT NULL DEFAULT 0,
  ADD COLUMN uncounted TINYINT NOT NULL DEFAULT 0;

ALTER TABLE lt_link ALTER COLUMN uncounted SET DEFAULT 1;

ALTER TABLE lt_link
  DROP KEY lt_link_account, ADD KEY lt_link_account (account_id, list_kind, id),
  DROP KEY lt_link_created, ADD KEY lt_link_created (account_id, list_kind, created_at, id),
  DROP KEY lt_link_key,     ADD KEY lt_link_key     (account_id, list_kind, path_key, id),
  DROP KEY lt_link_title,   ADD KEY lt_link_title   (account_id, list_kind, title, id),
  DROP KEY lt_link_url,     ADD KEY lt_link_url     (account_id, list_kind, url_head, id),
  DROP KEY lt_link_group,   ADD KEY lt_link_group   (account_id, list_kind, group_name, id);

ALTER TABLE lt_link ADD KEY lt_link_host      (account_id, list_kind, host, id);
ALTER TABLE lt_link ADD KEY lt_link_state     (account_id, list_kind, is_active, expires_at, starts_at, id);
ALTER TABLE lt_link ADD KEY lt_link_uncounted (uncounted, account_id, list_kind);

ALTER TABLE lt_rank ADD COLUMN list_kind TINYINT NOT NULL DEFAULT 0;

ALTER TABLE lt_rank
  DROP KEY lt_rank_recent, ADD KEY lt_rank_recent (account_id, list_kind, recent, link_id),
  DROP KEY lt_rank_total,  ADD KEY lt_rank_total  (account_id, list_kind, total, link_id),
  DROP KEY lt_rank_last,   ADD KEY lt_rank_last   (account_id, list_kind, last_click, link_id);

-- It finds the links that have a limit.
ALTER TABLE lt_count ADD KEY lt_count_limit (account_id, deactivate_at, link_id);

-- How many counted links an account has in each list.
CREATE TABLE IF NOT EXISTS lt_link_number (
  account_id BIGINT  NOT NULL,
  list_kind  TINYINT NOT NULL,
  links      BIGINT  NOT NULL,
  PRIMARY KEY (account_id, list_kind)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

INSERT IGNORE INTO lt_link_number (account_id, list_kind, links)
  SELECT account_id, list_kind, COUNT(*) FROM lt_link WHERE uncounted = 0 GROUP BY account_id, list_kind;
