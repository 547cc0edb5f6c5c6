-- An aggregate that another tool has told may not say of how many rows: that is not known, which is not 0.
ALTER TABLE aggregate_score ALTER COLUMN "count" DROP NOT NULL;
ALTER TABLE aggregate_score ALTER COLUMN nan_count DROP NOT NULL;
ALTER TABLE aggregate_score ALTER COLUMN rows_scored DROP NOT NULL;
ALTER TABLE aggregate_score ALTER COLUMN rows_unscored DROP NOT NULL;
ALTER TABLE aggregate_score ALTER COLUMN rows_total DROP NOT NULL;
ALTER TABLE aggregate_score ALTER COLUMN items_scored DROP NOT NULL;
