-- In whose days roll-ups are is kept from now on. What was counted before was
-- counted in the default zone. A host with another Options.TimeZone puts its
-- name there instead, before the first start.
INSERT IGNORE INTO lt_setting (name, value)
  SELECT 'zone', 'America/Chicago' FROM lt_count WHERE total > 0 OR bots > 0 LIMIT 1;
