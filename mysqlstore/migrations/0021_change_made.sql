-- Changes are read and removed by their time. Their ids are in no order of time where several
-- servers give them.
ALTER TABLE lt_change ADD KEY lt_change_made (made_at);
