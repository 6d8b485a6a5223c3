-- Which links were changed, for the caches of other processes: see linktrack.ChangeLister. A
-- change is added in the transaction that makes it, and deleted after ten minutes. The ids
-- are not in the order of the commits, and on a cluster they have gaps.
CREATE TABLE IF NOT EXISTS lt_change (
  id       BIGINT         NOT NULL AUTO_INCREMENT,
  link     BIGINT         NOT NULL,
  host     VARBINARY(255) NOT NULL,
  path_key VARBINARY(128) NOT NULL,
  made_at  BIGINT         NOT NULL, -- in seconds since 1970
  PRIMARY KEY (id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
