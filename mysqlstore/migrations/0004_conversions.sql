-- Conversions. Because of the two unique keys, a click and an order are counted once.
-- Rows are kept when the history is pruned.
CREATE TABLE IF NOT EXISTS lt_conversion (
  link_id    BIGINT          NOT NULL,
  click_id   BINARY(16)      NOT NULL, -- linktrack.ClickID
  account_id BIGINT          NOT NULL, -- of the link
  order_id   VARBINARY(1020) NULL,     -- unique within the account; NULL if there is none
  value      BIGINT          NOT NULL, -- in ten-thousandths of the currency's unit
  currency   VARBINARY(3)    NOT NULL, -- ISO 4217; '' if there is none
  created_at BIGINT          NOT NULL, -- the time of the conversion
  PRIMARY KEY (link_id, click_id),
  UNIQUE KEY lt_conversion_order (account_id, order_id)
) ENGINE=InnoDB ROW_FORMAT=DYNAMIC;
