-- Whether the public report of a link says what conversions were worth.
ALTER TABLE lt_link ADD COLUMN has_public_revenue TINYINT NOT NULL DEFAULT 0;

-- linktrack.Conversion.Trusted. Of conversions from before it is not known who
-- reported them, so the owner's next report takes their place. day and hour say where the roll-ups have it; NULL: where created_at
-- lies in the service's zone.
ALTER TABLE lt_conversion
  ADD COLUMN is_trusted TINYINT  NOT NULL DEFAULT 0,
  ADD COLUMN day        INT      NULL,
  ADD COLUMN hour       SMALLINT NULL;
