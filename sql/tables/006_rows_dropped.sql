-- When the rows and scores of a job were dropped, and only its aggregates kept. Null where they are there.
ALTER TABLE job ADD COLUMN rows_dropped_at TIMESTAMPTZ;
