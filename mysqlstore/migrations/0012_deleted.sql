-- When a link was deleted; 0: it was not.
ALTER TABLE lt_link ADD COLUMN deleted_at BIGINT NOT NULL DEFAULT 0;
