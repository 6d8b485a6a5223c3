-- The number of times that all sessions of an account were ended.
ALTER TABLE lt_account ADD COLUMN session_epoch BIGINT NOT NULL DEFAULT 0;

-- Sessions that were ended one by one. A row may be deleted after until, when the
-- session would have ended anyway.
CREATE TABLE IF NOT EXISTS lt_ended_session (
  account_id BIGINT     NOT NULL,
  session    BINARY(16) NOT NULL,
  until      BIGINT     NOT NULL,
  PRIMARY KEY (account_id, session),
  KEY lt_ended_session_until (until)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
