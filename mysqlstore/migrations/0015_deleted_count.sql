-- Whether the link is deleted, see lt_link.deleted_at: it lets nobody pass then.
ALTER TABLE lt_count ADD COLUMN is_deleted TINYINT NOT NULL DEFAULT 0;
