-- The keys of accounts, without their own ones: those are in lt_account. A login is
-- unique over both tables, see keys.go.
CREATE TABLE IF NOT EXISTS lt_key (
  id         BIGINT          NOT NULL AUTO_INCREMENT,
  account_id BIGINT          NOT NULL,
  login      VARBINARY(400)  NOT NULL,
  pass_hash  VARBINARY(255)  NULL,
  name       VARBINARY(1020) NOT NULL,
  scope      VARBINARY(255)  NOT NULL,
  created_at BIGINT          NOT NULL,
  last_used  INT             NOT NULL DEFAULT 0, -- linktrack.Day
  PRIMARY KEY (id),
  UNIQUE KEY lt_key_login (login),
  KEY lt_key_account (account_id, id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;

-- The last use of the account's own key.
ALTER TABLE lt_account ADD COLUMN key_last_used INT NOT NULL DEFAULT 0;
