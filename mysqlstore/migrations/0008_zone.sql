-- The time zone of the roll-ups' days is stored from now on. Clicks so far were
-- counted by days of the default zone. A host with another Options.TimeZone must store
-- the name of that zone here instead, before the first start of this version.
INSERT IGNORE INTO lt_setting (name, value)
  SELECT 'zone', 'America/Chicago' FROM lt_count WHERE total > 0 OR bots > 0 LIMIT 1;
