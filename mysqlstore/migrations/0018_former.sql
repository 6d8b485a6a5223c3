-- Names that lt_link does not have, or does not have any more, and that are not free:
--   - With a link_id, the name is a former path of that link, and leads to it. account_id is
--     the link's. The row stays when the link gets the name back: a look-up reads lt_link
--     first and then this table, and must find the name in one of them.
--   - With the link_id 0, the name is reserved for the account: its link was purged. It leads
--     nowhere, and the account's links may take it, which deletes the row.
-- Only a transaction that takes the name from its row of lt_link adds a row here, and one
-- that takes a name first writes lt_link and then reads this table. So the unique key of
-- lt_link makes one of two such transactions wait for the other.
CREATE TABLE IF NOT EXISTS lt_former (
  host       VARBINARY(255) NOT NULL,
  path_key   VARBINARY(128) NOT NULL,
  link_id    BIGINT         NOT NULL,
  account_id BIGINT         NOT NULL,
  PRIMARY KEY (host, path_key),
  KEY lt_former_link (link_id),
  KEY lt_former_account (account_id, link_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
