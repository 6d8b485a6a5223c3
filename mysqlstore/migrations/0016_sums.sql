-- The roll-ups of accounts, groups and tags by day. They begin with this version: the
-- account, the group and the tags that links had at the time of older clicks are not known.
CREATE TABLE IF NOT EXISTS lt_sum (
  account_id BIGINT          NOT NULL,
  kind       TINYINT         NOT NULL, -- 1: the account. 2: a group. 3: a tag
  name_key   VARBINARY(1020) NOT NULL, -- linktrack.GroupKey of the group or tag; '' for the account
  day        INT             NOT NULL, -- linktrack.Day
  data       MEDIUMBLOB      NOT NULL, -- linktrack.Rollup as JSON
  PRIMARY KEY (account_id, kind, name_key, day)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
