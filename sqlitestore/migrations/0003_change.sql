-- Which links were changed, for the caches of other processes: see linktrack.ChangeLister. A
-- change is deleted after ten minutes. Changes are read and removed by their time.
CREATE TABLE IF NOT EXISTS lt_change (
  id       INTEGER PRIMARY KEY AUTOINCREMENT,
  link     INTEGER NOT NULL,
  host     BLOB    NOT NULL,
  path_key BLOB    NOT NULL,
  made_at  INTEGER NOT NULL -- in seconds since 1970
) STRICT;
CREATE INDEX IF NOT EXISTS lt_change_made ON lt_change (made_at);
