-- 1 if the public report of a link shows the value of conversions.
ALTER TABLE lt_link ADD COLUMN has_public_revenue TINYINT NOT NULL DEFAULT 0;

-- is_trusted is linktrack.Conversion.Trusted. It is 0 for older conversions, because
-- it is not known who reported them; so the owner's next report replaces them. day
-- and hour are those of the roll-up that has the conversion. If they are NULL, they
-- follow from created_at in the time zone of the days.
ALTER TABLE lt_conversion
  ADD COLUMN is_trusted TINYINT  NOT NULL DEFAULT 0,
  ADD COLUMN day        INT      NULL,
  ADD COLUMN hour       SMALLINT NULL;
