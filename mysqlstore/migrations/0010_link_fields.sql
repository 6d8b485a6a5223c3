-- Further settings of links. An external id is unique within its account; NULL if there
-- is none. tags are the stored names of the link's tags in the order of their keys,
-- separated by bytes of 255, which UTF-8 does not have.
ALTER TABLE lt_link
  ADD COLUMN external_id  VARBINARY(1020) NULL,
  ADD COLUMN tags         VARBINARY(8192) NOT NULL DEFAULT '',
  ADD COLUMN is_archived  TINYINT         NOT NULL DEFAULT 0,
  ADD COLUMN starts_at    BIGINT          NOT NULL DEFAULT 0,
  ADD COLUMN fallback_url VARBINARY(4096) NOT NULL DEFAULT '',
  ADD COLUMN confirm      VARBINARY(16)   NOT NULL DEFAULT '';

ALTER TABLE lt_link ADD UNIQUE KEY lt_link_external (account_id, external_id);

-- A tag is never renamed, so the rows of links have its name.
CREATE TABLE IF NOT EXISTS lt_tag (
  account_id BIGINT         NOT NULL,
  name_key   VARBINARY(400) NOT NULL, -- linktrack.GroupKey of the name
  name       VARBINARY(400) NOT NULL,
  PRIMARY KEY (account_id, name_key)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The links of each tag, for lists. lt_link.tags has the same.
CREATE TABLE IF NOT EXISTS lt_link_tag (
  account_id BIGINT         NOT NULL,
  name_key   VARBINARY(400) NOT NULL,
  link_id    BIGINT         NOT NULL,
  PRIMARY KEY (account_id, name_key, link_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
