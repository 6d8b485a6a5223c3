-- 1 once the purge of the link has begun: no click of it is applied any more, and it is
-- not changed.
ALTER TABLE lt_link ADD COLUMN is_purging TINYINT NOT NULL DEFAULT 0;

-- It finds deleted links, of all accounts, in the order of their deletion.
ALTER TABLE lt_link ADD KEY lt_link_deleted (deleted_at, id);
